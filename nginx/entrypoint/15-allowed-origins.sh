#!/bin/sh
# ALLOWED_ORIGINS (a comma list or a JSON array) → the map that names the origin allowed to read nginx's own errors.
set -eu
out="${ORIGINS_FILE:-/etc/nginx/conf.d/00-origins.conf}"
{
  echo 'map $http_origin $allowed_origin {'
  echo '    default "";'
  printf '%s' "${ALLOWED_ORIGINS:-}" | tr -d '[]" \n' | tr ',' '\n' | while read -r origin || [ -n "$origin" ]; do
    case "$origin" in
      '*') echo '    "~." $http_origin;' ;;
      http://* | https://*)
        case "$origin" in *[!A-Za-z0-9.:/_-]*) ;; *) echo "    \"$origin\" \$http_origin;" ;; esac ;;
    esac
  done
  echo '}'
} > "$out"
