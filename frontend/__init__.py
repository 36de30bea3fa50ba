"""The page: Dash panels that ask the API and draw. It computes nothing and knows the API only by `client`."""
