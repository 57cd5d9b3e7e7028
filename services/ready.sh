#!/bin/bash
# Health check of our HTTP services: /readyz on $PORT answers 200. Without curl, and without a second node process.
exec 3<>"/dev/tcp/127.0.0.1/${PORT:?}" || exit 1
printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
