# syntax=docker/dockerfile:1
# One image for all roles: `docent serve` (the default), `docent worker`, `docent ui`, `docent migrate`.
FROM python:3.12-slim-bookworm AS build

RUN pip install --no-cache-dir uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/docent
WORKDIR /src

# The dependencies first: they change less often than the code, so this layer is kept.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --extra ui --extra otel --no-install-project

COPY README.md LICENSE ./
COPY alembic alembic
COPY backend backend
COPY ui ui
RUN uv sync --frozen --no-default-groups --extra ui --extra otel --no-editable


FROM python:3.12-slim-bookworm

# Text recognition for scanned PDFs.
RUN apt-get update && apt-get install --yes --no-install-recommends tesseract-ocr && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home docent && install --directory --owner docent --group docent --mode 0700 /data
COPY --from=build /opt/docent /opt/docent

# Inside a container every address is the container's own; docker-compose.yml decides who reaches it.
ENV PATH=/opt/docent/bin:$PATH HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
USER docent
WORKDIR /home/docent
VOLUME /data
EXPOSE 8000 8501

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4)"]

ENTRYPOINT ["docent"]
CMD ["serve"]
