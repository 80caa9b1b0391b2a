#!/bin/sh
# web | worker QUEUE[,QUEUE…] | beat | demo | any command of manage.py
set -eu
cd /app
process=$1
shift
case "$process" in
web)
    python manage.py migrate --no-input
    python manage.py collectstatic --no-input --verbosity 0
    export WEB_CONCURRENCY="${WEB_CONCURRENCY:-2}"
    exec uvicorn consortium.asgi:application --host 0.0.0.0 --port 8000 --lifespan off \
        --no-access-log --log-level warning --timeout-graceful-shutdown 5
    ;;
worker)
    exec celery --app consortium.celery worker --queues "$1" --pool prefork --concurrency 1 \
        --loglevel INFO --without-gossip --without-mingle
    ;;
beat)
    # The scheduler without a file: what is due is decided by rows.
    exec celery --app consortium.celery beat --scheduler celery.beat:Scheduler --pidfile=
    ;;
demo)
    exec python -m consortium.embedded --exclusive -- python manage.py demo "$@"
    ;;
*)
    exec python manage.py "$process" "$@"
    ;;
esac
