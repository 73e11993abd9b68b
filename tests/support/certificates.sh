# certificates.sh: a certificate authority of a test's own in $dir; sourced.

# issue NAME EXTENSION OPTION…: NAME.pem and NAME.key, signed by the test's authority
issue() {
	local name=$1
	printf '%s\n' "$2" >"$dir/extension"
	shift 2
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$dir/$name.key" \
		-out "$dir/$name.csr" 2>>"$dir/openssl.log"
	openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial \
		-extfile "$dir/extension" -out "$dir/$name.pem" "$@" 2>>"$dir/openssl.log"
}

# make_certificates: ca, server (for 127.0.0.1), named (for service.example), expired, client
make_certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test-ca -days 30 \
		-keyout "$dir/ca.key" -out "$dir/ca.pem" 2>>"$dir/openssl.log"
	issue server 'subjectAltName=IP:127.0.0.1' -days 30
	issue named 'subjectAltName=DNS:service.example' -days 30
	issue expired 'subjectAltName=IP:127.0.0.1' -days -1
	issue client 'extendedKeyUsage=clientAuth' -days 30
	[ -s "$dir/client.pem" ] && [ -s "$dir/expired.pem" ] || { cat "$dir/openssl.log"; exit 1; }
}
