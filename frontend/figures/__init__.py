"""Pure functions: values that the API answered in, figures and elements of the page out."""
