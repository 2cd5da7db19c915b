# MLflow's server with what a team needs behind it: PostgreSQL, an object store, names and passwords.
# MLflow's own image has no driver for the first two.
FROM python:3.11-slim AS packages
COPY mlflow.txt /tmp/mlflow.txt
# Wheels alone: no setup code runs, and what is installed has the hash that was locked.
RUN python -m venv --without-pip /app \
    && python -m pip --python /app/bin/python install --no-cache-dir --require-hashes \
        --only-binary :all: --requirement /tmp/mlflow.txt

FROM python:3.11-slim
COPY --from=packages /app /app
ENV PATH=/app/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 MLFLOW_DISABLE_TELEMETRY=true
WORKDIR /tmp
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:5000/health', timeout=4)"]
ENTRYPOINT ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]
