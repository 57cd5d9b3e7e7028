#!/bin/sh
# Which certificate is served: yours while nginx can use it, else the self-signed one, and why. Then it looks again and again, so that a
# renewal is picked up by itself. Prometheus reads what it finds at :8081/certificate. The variables are for its test.
set -u
nginx=${NGINX:-nginx}
tls=${TLS_FOLDER:-/etc/nginx/tls}
certs=${CERTS_FOLDER:-/etc/nginx/certs}
own=${OWN_CERTIFICATE:-/run/secrets/tls.crt}
chosen=${CERTIFICATE_CONF:-/etc/nginx/conf.d/certificate.inc}
metrics=${CERTIFICATE_METRICS:-/tmp/certificate.prom}
chain=$certs/fullchain.pem
key=$certs/privkey.pem
say() { printf 'certificate: %s\n' "$*" >&2; }

# why one of the files cannot be read, in a sentence
unreadable() {
  for file in "$chain" "$key"; do
    name=${file##*/}
    if [ -L "$file" ] && [ ! -e "$file" ]; then
      echo "$name in TLS_DIR is a link to $(readlink "$file"), which lies outside of it. compose/bin/certificate copies the file itself."
    elif [ ! -e "$file" ]; then echo "TLS_DIR holds no $name. compose/bin/certificate puts it there."
    elif [ ! -r "$file" ]; then echo "$name in TLS_DIR cannot be read by user 101. compose/bin/certificate gives it to him."
    fi
  done | head -n 1
}

# why nginx cannot use them; it is asked with the files as its choice, and the caller has to take that back
refused() {
  cp "$tls/files.conf" "$chosen"
  said=$($nginx -t -q 2>&1 < /dev/null) && return
  case $said in
    *mismatch*) echo 'privkey.pem is not the key of the certificate in fullchain.pem. Put the two there that were made together.' ;;
    *'no start line'*) echo "$(echo "$said" | grep -o '[a-z]*\.pem' | head -n 1) in TLS_DIR is no PEM file." ;;
    *password* | *'pass phrase'*) echo 'privkey.pem has a pass phrase, and nobody is there to type it. Store it without one.' ;;
    *) echo "nginx cannot use the files in TLS_DIR: $(echo "$said" | head -n 1)" ;;
  esac
}

# the second in which certificate $1 ends; 0 when openssl cannot tell
end_of() {
  end=$(openssl x509 -noout -enddate -in "$1" 2> /dev/null) && date -d "${end#*=}" +%s || echo 0
}
utc() { date -u -d "@$1" '+%F %T UTC'; }

# decides, and says what it decided
choose() {
  case $TLS_MODE in
    files)
      why=$(unreadable)
      [ -n "$why" ] || why=$(refused)
      ;;
    self-signed) why= ;;
    *) why="TLS_MODE=$TLS_MODE is unknown: it is self-signed or files." ;;
  esac
  if [ -z "$why" ] && [ "$TLS_MODE" = files ]; then
    serving='your certificate' end=$(end_of "$chain")
  elif [ "$serving" = 'your certificate' ] || [ "$serving" = 'the certificate loaded before' ]; then
    serving='the certificate loaded before' # nginx keeps it until it can have another
  else
    cp "$tls/self-signed.conf" "$chosen"
    serving='the self-signed certificate' end=$(end_of "$own")
  fi
  if [ -n "$why" ]; then say "$why Until then $serving is served."
  elif [ "$end" -ne 0 ] && [ "$end" -le "$(date +%s)" ]; then say "$serving ended at $(utc "$end"): renew it. Browsers refuse it."
  elif [ "$end" -ne 0 ]; then say "$serving is served; it ends at $(utc "$end")"
  fi
  {
    echo "nginx_certificate_usable $([ -n "$why" ] && echo 0 || echo 1)"
    [ "$end" -eq 0 ] || echo "nginx_certificate_end_timestamp_seconds $end"
  } > "$metrics.part" && mv "$metrics.part" "$metrics"
}

state() { cat "$chain" "$key" 2> /dev/null | cksum; ls -lnL "$chain" "$key" 2> /dev/null; }

serving=
last=$(state)
choose
[ "$TLS_MODE" = files ] || exit 0
while sleep "${LOOK_S:-30}"; do
  now=$(state)
  [ "$now" != "$last" ] || continue
  last=$now
  choose
  [ -n "$why" ] || $nginx -s reload
done < /dev/null &
