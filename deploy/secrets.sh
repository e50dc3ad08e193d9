#!/bin/sh
# Makes the secrets that compose.yaml and kubernetes/ name, in the folder `secrets` beside this file, or in the one
# that is given. What is there already stays as it is. Keep a copy of pseudonym_key: without it, nobody whose id was
# logged can be found again.
set -eu

folder="${1:-$(dirname "$0")/secrets}"
mkdir -p "$folder"
# Nobody else may enter; in a container, another user than the owner reads the files.
chmod 700 "$folder"
umask 022

random() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

make() { # NAME TEXT
  if [ ! -e "$folder/$1" ]; then
    printf '%s\n' "$2" >"$folder/.$1"
    mv "$folder/.$1" "$folder/$1"
    echo "made $folder/$1"
  fi
}

make database_password "$(random)"
make database_url "postgresql://churn:$(cat "$folder/database_password")@database:5432/churn"
make api_password "$(random)"
make api_token "$(random)"
make pseudonym_key "$(random)"
make grafana_password "$(random)"
# `churn token issue` writes it, once the service runs.
[ -e "$folder/metrics_token" ] || : >"$folder/metrics_token"
