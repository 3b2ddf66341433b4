# nmt in a container: the web page and HTTP interface by default, any other command by name.
#
#     docker build --build-arg TORCH_INDEX=URL -t nmt .
#     docker run --rm -p 127.0.0.1:5000:5000 nmt                                             # serves the demo models
#     docker run --rm -p 127.0.0.1:5000:5000 -v "$PWD/runs:/runs:ro" nmt serve /runs/de-en --host 0.0.0.0
#     docker run --rm nmt translate --demo --text 'Ein Hund schläft.'
#
# URL is the index of PyTorch's builds for the CPU: what https://pytorch.org/get-started/locally/ shows after --index-url
# for Linux, Pip and CPU. The build with CUDA, which pip takes otherwise, is several GB larger.
FROM python:3.11-slim
ARG TORCH_INDEX
WORKDIR /nmt
COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN test -n "$TORCH_INDEX" || { echo "TORCH_INDEX is not set; the head of the Dockerfile says to what" >&2; exit 1; } \
    && pip install --no-cache-dir --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)"
COPY nmt nmt
RUN pip install --no-cache-dir --constraint constraints.txt '.[serve,lid]' && useradd --system nmt
USER nmt
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:5000/health', timeout=5)"]
ENTRYPOINT ["nmt"]
CMD ["serve", "--demo", "--host", "0.0.0.0"]
