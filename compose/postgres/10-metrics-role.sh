#!/bin/bash
# Runs once, on an empty data folder: a role for the exporter that reads statistics and nothing else.
set -euo pipefail
psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$(cat /run/secrets/metrics-password)" <<'SQL'
CREATE ROLE docent_metrics LOGIN PASSWORD :'password' CONNECTION LIMIT 3 IN ROLE pg_monitor;
SQL
