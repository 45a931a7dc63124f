# docker build -t biaogan .                                 reads docx, pdf, txt, md and scanned pages
# docker build -t biaogan --build-arg LIBREOFFICE=1 .       also doc, wps and rtf
# docker run --rm --network none -v "$PWD:/work" --user "$(id -u):$(id -g)" biaogan check . --edition 2024-caq --html out
# The service with PostgreSQL and workers: compose.yaml
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY service ./service
COPY models ./models
COPY corpora ./corpora
# torch's CPU build; PyPI's own would bring gigabytes of CUDA. It is used only with BIAOGAN_EMBEDDING and for training.
RUN python -m venv /opt/biaogan \
 && /opt/biaogan/bin/pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.13.0 \
 && /opt/biaogan/bin/pip install --no-cache-dir '.[ocr]'

FROM python:3.11-slim
ARG LIBREOFFICE=0
# LibreOffice lays pages out, so it needs Chinese fonts. The OCR's OpenCV is the headless one and needs no more than what is here.
RUN if [ "$LIBREOFFICE" = 1 ]; then \
      apt-get update \
      && apt-get install -y --no-install-recommends libreoffice-writer fonts-noto-cjk \
      && rm -rf /var/lib/apt/lists/*; \
    fi \
 && useradd --create-home --uid 10001 biaogan \
 && install --directory --owner=biaogan --mode=700 /data
COPY --from=build /opt/biaogan /opt/biaogan
ENV BIAOGAN_DATA_DIR=/data PATH=/opt/biaogan/bin:$PATH PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1
USER biaogan
WORKDIR /work
ENTRYPOINT ["biaogan"]
CMD ["--help"]
