#!/bin/sh
# Runs once, when the database's container makes its data folder. The image's own role is a
# superuser, whom row-level security does not bind; the product gets one that it does.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$CONSORTIUM_DATABASE_PASSWORD" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE consortium LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE consortium OWNER consortium;
SQL
