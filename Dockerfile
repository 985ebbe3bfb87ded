# The gateway as a container: docker build -t booking-gateway . && docker run -p 8080:8080 \
#   --read-only --cap-drop ALL -v "$PWD/config.yaml:/app/config.yaml:ro" -v gateway-data:/data --env-file gateway.env booking-gateway

FROM python:3.11-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Dependencies before the code, so that a change of the code leaves this layer alone. pip stays outside of what is shipped.
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/gateway \
 && pip --python /opt/gateway/bin/python install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY gateway ./gateway
RUN pip --python /opt/gateway/bin/python install --no-deps --no-build-isolation . \
 && pip --python /opt/gateway/bin/python uninstall --yes setuptools

FROM python:3.11-slim
# Only the store is written at run time, in /data, so the root file system may be read-only. Logs go to stdout.
ENV PATH=/opt/gateway/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gateway \
 && install --directory --owner=gateway --group=gateway /data
COPY --from=build /opt/gateway /opt/gateway
WORKDIR /app
# A configuration mounted as /app/config.yaml finds the shipped mappings with `mappings: [mappings]`.
COPY mappings ./mappings
COPY config.example.yaml ./
USER 10001:10001
# `store: "sqlite:///gateway.db"` is relative to here.
WORKDIR /data
VOLUME /data
EXPOSE 8080
# /health tells that the process answers; it never depends on a provider. urllib raises on anything but success.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8080/health', timeout=2)"]
ENTRYPOINT ["gateway", "serve"]
# Inside a container, 127.0.0.1 would be reached by nobody.
CMD ["--config", "/app/config.yaml", "--host", "0.0.0.0", "--port", "8080"]
