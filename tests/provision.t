#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Certificates for a fabric: from a management service that behaves as the
# console does, one that means harm, and files; and that the other tools and
# the public JavaScript client then connect with what was written.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need qchat-provision qchat-say openssl setsid tmux
need_peer
broker_start

# A service of the broker's CA.
S=$T/service
mkdir "$S"
cp "$T/broker/ca.crt" "$T/broker/ca.key" "$S"
must certificate_of "$S/server" 'QChat test console' basicConstraints=CA:false \
	extendedKeyUsage=serverAuth subjectAltName=DNS:localhost,IP:127.0.0.1
must openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj '/CN=another CA' -keyout "$S/other-ca.key" -out "$S/other-ca.crt"
must openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj '/CN=mallory' -keyout "$S/other.key" -out "$S/other.csr"
echo extendedKeyUsage=serverAuth >"$S/server-only.cnf"
# A server that says something else than TLS.
start plain node -e 'const net = require("net")
	const server = net.createServer(socket => {
		socket.on("error", () => {})
		socket.write("HTTP/1.1 400 Bad\r\n\r\n")
	})
	server.listen(0, "127.0.0.1", () => console.log(server.address().port))'
must wait_line "$T/plain.out" '[0-9]'
plain_port=$(cat "$T/plain.out")
mkfifo "$T/console.in"
start console node "$srcdir/tests/peer/console.js" "$S" "$broker_port"
exec 7>"$T/console.in"
must wait_line "$T/console.out" '"at":"ready"'
port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' "$T/console.out")

# The service behaves so from now on, and what it was asked is counted anew.
mode() {
	mode_count=$(count_lines "$T/console.out" '"mode"')
	echo "$1" >&7
	must wait_line "$T/console.out" '"mode"' $((mode_count + 1))
	forget_asked
}

forget_asked() { asked_from=$(($(wc -l <"$T/console.out") + 1)); }
questions() { tail -n +"$asked_from" "$T/console.out" | grep '"asked"'; }
asked() { questions | grep -c .; }

(umask 077 && echo password >"$T/password" && echo wrong >"$T/wrong" &&
	echo 'correct horse' >"$T/passphrase")

# ask VERB ARG…: at the service
mkdir "$T/bin"
cat >"$T/bin/ask" <<END
#!/bin/sh
exec qchat-provision -u admin --password-file "$T/password" --port "$port" \\
	--ca "$S/ca.crt" "\$@"
END
chmod +x "$T/bin/ask"
PATH=$T/bin:$PATH

# tree FOLDER: all that is in it
tree() {
	find "$1" -type f -exec sha256sum {} + | sort
	find "$1" | sort
}

value() {
	sed -n "s/^$1 //p" "$T/out"
}

mode_of() { stat -c %a "$1"; }

# Usage.
for wrong in '' sideways generate 'generate a' 'generate a b c' \
	'request a b' 'request a b c d' 'request --csr x a b c' 'update a' \
	'update a b c' 'import-ca a' 'import-brokers a' 'show a b' \
	'--force request a b c' '--csr x update a b' '--pin 12 update a b' \
	'--port 0 update a b' '--ca x update --pin x a b' \
	'--key-type dsa generate a b' '--san x update a b' \
	'--file-prefix ../x generate a b' '--file-prefix .x generate a b' \
	'-u x generate a b' '-W 1 generate a b' '--config x generate a b' \
	'--config x show a' '--san x --csr y request a b'; do
	# shellcheck disable=SC2086 # words
	exit_is 64 "usage: qchat-provision $wrong" qchat-provision $wrong
done

# generate
exit_is 0 'generate' qchat-provision generate "$T/made" 'alice'
is "$(out)" "$T/made/client.csr" 'prints where the request is'
is "$(mode_of "$T/made/client.key")" 600 'the key is closed to others'
is "$(find "$T/made" -type f | wc -l)" 2 'and there is nothing else'
like "$(openssl pkey -in "$T/made/client.key" -noout -text)" '2048 bit' \
	'it is an RSA key'
must openssl req -verify -in "$T/made/client.csr" -noout -text
cp "$T/must.out" "$T/csr.txt"
like "$(cat "$T/csr.txt")" 'Subject: CN = alice$' 'for the name'
like "$(cat "$T/csr.txt")" 'Version: 1 ' 'of version 1'
like "$(cat "$T/csr.txt")" 'sha256WithRSA' 'signed with SHA-256'
is "$(grep -A1 'X509v3' "$T/csr.txt" | tr -s ' \n-' ' ')" \
	" X509v3 Basic Constraints: CA:FALSE X509v3 Key Usage: critical Digital Signature, Key Encipherment X509v3 Extended Key Usage: TLS Web Client Authentication " \
	'with the extensions'
before=$(tree "$T/made")
exit_is 73 'a key that is there is kept' qchat-provision generate "$T/made" bob
like "$(err)" 'client\.key: is there already .*--force' 'and it is said'
is "$(tree "$T/made")" "$before" 'nothing has changed'
exit_is 0 'but for --force' qchat-provision --force generate "$T/made" bob
not_ok 'it is another one' test "$(tree "$T/made")" = "$before"
exit_is 0 'generate with all of it' qchat-provision generate --key-type ec \
	--country DE --state-or-province Bayern --locality München \
	--organization 'Example, Inc.' --organizational-unit SOC \
	--email-address soc@example.com --san host1.example.com \
	--san 192.0.2.7 --san ::1 --file-prefix my --passphrase-file \
	"$T/passphrase" "$T/made" 'Zoë'
must openssl req -verify -in "$T/made/my.csr" -noout -text -nameopt \
	utf8,sep_comma_plus
cp "$T/must.out" "$T/csr.txt"
like "$(cat "$T/csr.txt")" 'Subject: CN=Zoë,C=DE,ST=Bayern,L=München,O=Example, Inc\.,OU=SOC,emailAddress=soc@example.com' \
	'the subject in its order'
like "$(cat "$T/csr.txt")" 'DNS:host1.example.com, IP Address:192.0.2.7, IP Address:0:0:0:0:0:0:0:1' \
	'the names'
is "$(grep -c 'Key Encipherment' "$T/csr.txt")" 0 \
	'an EC key is not for encipherment'
like "$(head -n 1 "$T/made/my.key")" 'BEGIN ENCRYPTED PRIVATE KEY' \
	'the key is encrypted'
ok 'under the passphrase' openssl pkey -in "$T/made/my.key" \
	-passin 'pass:correct horse' -noout
for wrong in '--country DEU' '--country' '--san a/b' '--san' '--email-address ü'; do
	# shellcheck disable=SC2086 # words; an empty one for the last
	set -- $wrong
	exit_is 64 "refused: $wrong" qchat-provision "$1" "${2-}" \
		generate "$T/none" x
done
exit_is 64 'a name of 65 letters' qchat-provision generate "$T/none" \
	aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
exit_is 64 'a control character' qchat-provision generate "$T/none" \
	"$(printf 'a\033b')"
not_ok 'does not reach the terminal' grep -q "$(printf '\033')" "$T/err"
chmod 644 "$T/passphrase"
exit_is 77 'a passphrase that others can read' qchat-provision generate \
	--passphrase-file "$T/passphrase" "$T/none" x
chmod 600 "$T/passphrase"
exit_is 66 'no terminal to ask at' setsid -w qchat-provision generate \
	--passphrase "$T/none" x
not_ok 'none of these has left anything' test -e "$T/none"

# request
D=$T/dxl
mode console
exit_is 0 'request' ask request "$D" localhost carol
is "$(out)" "$D/dxlclient.config" 'prints where the configuration is'
is "$(cat "$D/dxlclient.config")" "[Certs]
BrokerCertChain = ca-bundle.crt
CertFile = client.crt
PrivateKey = client.key

[Brokers]
local = local;$broker_port;localhost;127.0.0.1
external = external;$broker_port;127.0.0.1;127.0.0.1
{2c5b107c-7f51-11e7-0ebf-0800271cfa58} = {2c5b107c-7f51-11e7-0ebf-0800271cfa58};$broker_port;localhost

[BrokersWebSockets]
local = local;443;localhost;127.0.0.1
external = external;443;127.0.0.1;127.0.0.1
{2c5b107c-7f51-11e7-0ebf-0800271cfa58} = {2c5b107c-7f51-11e7-0ebf-0800271cfa58};443;localhost

[General]
#UseWebSockets = False" 'which looks as a fresh one does'
is "$(questions | grep -o '"asked":"[^"]*"' | tr '\n' ' ')" \
	'"asked":"/remote/DxlBrokerMgmt.generateOpenDXLClientProvisioningPackageCmd" "asked":"/login" "asked":"/remote/DxlBrokerMgmt.generateOpenDXLClientProvisioningPackageCmd" ' \
	'by way of the login'
is "$(ls -A "$D")" 'ca-bundle.crt
client.crt
client.csr
client.key
dxlclient.config' 'and nothing else is left'
is "$(mode_of "$D/client.key")" 600 'the key is closed to others'
ok 'the certificate is of the CA' openssl verify -CAfile "$D/ca-bundle.crt" \
	"$D/client.crt"
exit_is 0 'a post with that' qchat-say --dxl-config "$D/dxlclient.config" \
	-r ops hello

# The public client, with the same files: it says something, and we hear it.
as bob start ear qchat-listen -v -r ops -F '%u %m\n'
must wait_line "$T/ear.err" 'in ops'
mkfifo "$T/js.in"
start js node "$srcdir/tests/peer/original.js" "$D" "$broker_port" ops carol
exec 8>"$T/js.in"
ok 'the JavaScript client connects with it' \
	wait_line "$T/js.out" '"at":"ready"'
echo 'say from afar' >&8
ok 'and is heard' wait_line "$T/ear.out" '^carol from afar$'
exec 8>&-

# And the console is one: the public client is provisioned by it, too.  It is
# on 127.0.0.1, and older nodes try one address of localhost alone.
mkdir "$T/js"
ok 'the JavaScript client is provisioned by this service' \
	node --dns-result-order=ipv4first \
	"$node_modules/@opendxl/dxl-client/bin/dxlclient.js" provisionconfig \
	"$T/js" localhost carol -u admin -p password -t "$port"
settings() { tr -d '\r' <"$1" | sed '/^#/d; s/ *= */=/' | sort -u; }
is "$(settings "$T/js/dxlclient.config")" "$(settings "$D/dxlclient.config")" \
	'and writes the same settings'

exit_is 0 'with -v' ask -v update "$T/js" localhost
like "$(err)" "asking https://localhost:$port/login\$" 'is told what is asked'
not_ok 'and no secret' grep -q -e password -e csrString "$T/err"

mode epo
exit_is 0 'request at ePO, which asks for no login' \
	ask request --key-type ec "$T/epo" 127.0.0.1 dora
is "$(asked)" 1 'once'
exit_is 0 'a post with that' qchat-say --dxl-config "$T/epo/dxlclient.config" \
	-r ops hello
mode three-parts
exit_is 0 'a package without WebSocket brokers' ask request "$T/epo" localhost x
is "$(grep -c ';443;' "$T/epo/dxlclient.config")" 0 'ends those of before'
mode web-only
exit_is 0 'a package with WebSocket brokers alone' \
	ask request "$T/web" localhost x
like "$(err)" 'WebSockets only' 'is told'

# With a key that is there.
mode console
exit_is 0 'generate first' qchat-provision generate --passphrase-file \
	"$T/passphrase" "$T/later" erin
must openssl pkey -in "$T/later/client.key" -pubout -passin 'pass:correct horse'
cp "$T/must.out" "$T/public"
exit_is 0 'and request with that' ask request --csr "$T/later/client.csr" \
	--passphrase-file "$T/passphrase" "$T/later" localhost
is "$(openssl x509 -in "$T/later/client.crt" -noout -pubkey)" \
	"$(cat "$T/public")" 'the certificate is for that key'
exit_is 0 'generate another' qchat-provision generate --file-prefix two \
	"$T/later" erin
before=$(tree "$T/later")
forget_asked
exit_is 78 'with the request of another key' setsid -w qchat-provision request \
	--csr "$T/later/two.csr" --passphrase-file "$T/passphrase" "$T/later" \
	localhost
like "$(err)" 'later/client\.key: is not the key of the request .*/later/two\.csr \(--file-prefix' \
	'it is said before anything is asked, and of which files'
is "$(asked)" 0 'also the service'
exit_is 78 'with another passphrase' setsid -w qchat-provision request \
	--csr "$T/later/client.csr" --passphrase-file "$T/password" "$T/later" \
	localhost
like "$(err)" 'client\.key: the passphrase does not open' 'likewise'
chmod 644 "$T/later/two.key"
exit_is 77 'with a key that others can read' setsid -w qchat-provision \
	request --csr "$T/later/two.csr" --file-prefix two "$T/later" localhost
chmod 600 "$T/later/two.key"
is "$(tree "$T/later")" "$before" 'and nothing has changed'
exit_is 66 'without the key' ask request --csr "$T/later/two.csr" \
	"$T/nokey" localhost
exit_is 65 'with what is no request' ask request --csr "$T/later/client.crt" \
	"$T/later" localhost
sed 's/^MII/MIJ/' "$T/later/client.csr" >"$T/bad.csr"
exit_is 65 'with a damaged request' ask request --csr "$T/bad.csr" \
	"$T/later" localhost

# What is kept of a configuration.
cp -r "$D" "$T/kept"
cat >"$T/kept/dxlclient.config" <<END
# ours
[General]
ClientId = {me}	# mine

[Proxy]
Address = proxy.example.com

[Certs]
# the CA
BrokerCertChain = "ca-bundle.crt"  # quoted
CertFile = client.crt
PrivateKey = client.key
Future = yes

[Brokers]
# this one goes
gone = gone;8883;gone.example.com
# this one stays
local = 1;2

[More]
x = y
END
mode console
exit_is 0 'request into a folder with a configuration' \
	ask request "$T/kept" localhost carol
is "$(cat "$T/kept/dxlclient.config")" "# ours
[General]
ClientId = {me}	# mine

[Proxy]
Address = proxy.example.com

[Certs]
# the CA
BrokerCertChain = \"ca-bundle.crt\"  # quoted
CertFile = client.crt
PrivateKey = client.key
Future = yes

[Brokers]
# this one stays
local = local;$broker_port;localhost;127.0.0.1
external = external;$broker_port;127.0.0.1;127.0.0.1
{2c5b107c-7f51-11e7-0ebf-0800271cfa58} = {2c5b107c-7f51-11e7-0ebf-0800271cfa58};$broker_port;localhost

[More]
x = y

[BrokersWebSockets]
local = local;443;localhost;127.0.0.1
external = external;443;127.0.0.1;127.0.0.1
{2c5b107c-7f51-11e7-0ebf-0800271cfa58} = {2c5b107c-7f51-11e7-0ebf-0800271cfa58};443;localhost" \
	'keeps what is not about it'

# Who asks.
before=$(tree "$D")
# keeps STATUS NAME ERE CMD…: it ends so and says so, and the files of $D stay
keeps() {
	keeps_status=$1
	keeps_name=$2
	keeps_like=$3
	shift 3
	exit_is "$keeps_status" "$keeps_name" "$@"
	like "$(err)" "$keeps_like" 'is told'
	not_ok 'drives no terminal' grep -q "$(printf '\033')" "$T/err"
	is "$(tree "$D")" "$before" 'and leaves the old files alone'
}

keeps 77 'a wrong password' 'does not take this user and password' \
	qchat-provision -u admin --password-file "$T/wrong" --port "$port" \
	--ca "$S/ca.crt" request "$D" localhost carol
mode epo
keeps 77 'a wrong user at ePO' 'does not take this user' \
	qchat-provision -u eve --password-file "$T/password" --port "$port" \
	--ca "$S/ca.crt" update "$D" localhost
mode console
keeps 64 'a user with a colon' 'colon' \
	qchat-provision -u a:b --password-file "$T/password" --port "$port" \
	--ca "$S/ca.crt" update "$D" localhost
keeps 66 'no terminal to ask for the password' 'no terminal' \
	setsid -w qchat-provision -u admin --port "$port" --ca "$S/ca.crt" \
	update "$D" localhost
chmod 644 "$T/password"
keeps 77 'a password that others can read' 'chmod 600' \
	ask update "$D" localhost
chmod 600 "$T/password"
keeps 66 'no file with the password' 'No such file' \
	qchat-provision -u admin --password-file "$T/nothing" update "$D" x
is "$(asked)" 0 'none of these has asked the service'
exit_is 0 'the password from standard input' sh -c \
	"qchat-provision -u admin --password-file - --port $port \
	--ca '$S/ca.crt' update '$D' localhost <'$T/password'"
(umask 077 && printf 'password\r\n' >"$T/password-crlf" &&
	printf '\r\n' >"$T/empty-crlf" && printf 'correct horse\r\n' \
	>"$T/passphrase-crlf")
exit_is 0 'a password file of a system that ends lines with CR LF' \
	qchat-provision -u admin --password-file "$T/password-crlf" \
	--port "$port" --ca "$S/ca.crt" update "$D" localhost
exit_is 65 'in which nothing else stands' qchat-provision -u admin \
	--password-file "$T/empty-crlf" --port "$port" --ca "$S/ca.crt" \
	update "$D" localhost
like "$(err)" 'empty-crlf: its first line is empty' 'is told'
exit_is 0 'and a passphrase file' qchat-provision generate --key-type ec \
	--passphrase-file "$T/passphrase-crlf" "$T/crlf" x
ok 'has no CR in its passphrase' openssl pkey -in "$T/crlf/client.key" \
	-passin 'pass:correct horse' -noout
printf 'set -g remain-on-exit on\nset -g status off\n' >"$T/tmux.conf"
tm() { tmux -u -f "$T/tmux.conf" -S "$T/tmux" "$@"; }
at_end='tm kill-server 2>/dev/null'
SHELL=/bin/sh
TERM=xterm-256color
export SHELL TERM
on_screen() { tm capture-pane -p -t "$1" | grep -Eq -e "$2"; }
sees() {
	wait_for on_screen "$1" "$2" && return
	tm capture-pane -p -t "$1"
	return 1
}
type() {
	must tm send-keys -t "$1" -l "$2"
	must tm send-keys -t "$1" Enter
}
must tm new-session -d -s ask -x 150 -y 30 "qchat-provision --port $port \
	--ca '$S/ca.crt' --passphrase request '$T/typed' localhost frank
	echo status \$?; stty -a; sleep 999"
ok 'the user is asked for' sees ask '^User at localhost: *$'
type ask admin
ok 'and the password' sees ask '^Password of admin at localhost: *$'
type ask password
ok 'and the passphrase' sees ask '^Passphrase for the new key: *$'
type ask 'correct horse'
ok 'which twice' sees ask '^The same again: *$'
type ask 'correct horse'
ok 'that will do' sees ask '^status 0'
ok 'the user was seen while it was typed' \
	on_screen ask '^User at localhost: admin'
not_ok 'the password was not' on_screen ask 'Password.*password'
not_ok 'nor the passphrase' on_screen ask horse
ok 'the terminal echoes again' sees ask '[^-]echo( |;|$)'
ok 'the key is encrypted' openssl pkey -in "$T/typed/client.key" \
	-passin 'pass:correct horse' -noout
must tm new-session -d -s differ -x 150 -y 30 "qchat-provision --passphrase \
	generate '$T/differ' frank; echo status \$?; sleep 999"
ok 'asked' sees differ '^Passphrase for'
type differ one
ok 'twice' sees differ '^The same'
type differ two
ok 'two passphrases that differ' sees differ '^status 65'

# Whom we ask.
before=$(tree "$D")
mode console
keeps 78 'a service of an unknown CA' "--ca FILE .*--pin $(openssl x509 \
	-in "$S/server.crt" -outform DER | sha256sum | cut -c 1-64)" \
	qchat-provision -u admin --password-file "$T/password" --port "$port" \
	update "$D" localhost
is "$(asked)" 0 'nothing was sent to it'
keeps 78 'a service of another CA' 'not good for this host' \
	qchat-provision -u admin --password-file "$T/password" --port "$port" \
	--ca "$S/other-ca.crt" update "$D" localhost
keeps 78 'no CA file' 'nothing: No such file' setsid -w qchat-provision \
	--port "$port" --ca "$T/nothing" update "$D" localhost
keeps 78 'a CA file without a certificate' \
	'other.key: holds no certificates in PEM form .*--ca FILE .*--pin' \
	setsid -w qchat-provision --port "$port" --ca "$S/other.key" \
	update "$D" localhost
keeps 78 'a folder for one' '/service: Is a directory' setsid -w \
	qchat-provision --port "$port" --ca "$S" update "$D" localhost
keeps 69 'what speaks no TLS' \
	"localhost:$plain_port: what answers there does not speak TLS" \
	qchat-provision -u admin --password-file "$T/password" \
	--port "$plain_port" update "$D" localhost
mkfifo "$T/ca.fifo"
cat "$S/ca.crt" >"$T/ca.fifo" &
exit_is 0 'a CA file that can be read once' qchat-provision -u admin \
	--password-file "$T/password" --port "$port" --ca "$T/ca.fifo" \
	update "$D" localhost
pin=$(openssl x509 -in "$S/server.crt" -noout -fingerprint -sha256 |
	sed 's/.*=//')
exit_is 0 'its pinned certificate, as OpenSSL prints the fingerprint' \
	qchat-provision -u admin --password-file "$T/password" --port "$port" \
	--pin "$pin" update "$D" localhost
# Where this may hide the system's CAs, as on a machine that has none.
cat >"$T/bin/no-ca" <<'END'
#!/bin/sh
# shellcheck disable=SC2016 # expanded by the inner shell
exec unshare -rm sh -c 'mount -t tmpfs none /etc/ssl/certs && exec "$@"' sh "$@"
END
chmod +x "$T/bin/no-ca"
if no-ca true 2>"$T/need.out"; then
	keeps 78 'no CA of the system' '--ca FILE .*--pin' \
		no-ca qchat-provision -u admin --password-file "$T/password" \
		--port "$port" update "$D" localhost
	exit_is 0 'which a pinned certificate does not need' \
		no-ca qchat-provision -u admin --password-file "$T/password" \
		--port "$port" --pin "$pin" update "$D" localhost
	exit_is 0 'nor does one of --ca' no-ca ask update "$D" localhost
fi
forget_asked
keeps 78 'another pinned certificate' 'not the one that --pin names' \
	qchat-provision -u admin --password-file "$T/password" --port "$port" \
	--pin "$(openssl x509 -in "$S/ca.crt" -outform DER | sha256sum |
		cut -c 1-64)" update "$D" localhost
is "$(asked)" 0 'nothing was sent to it'
must certificate_of "$T/nameless" console basicConstraints=CA:false
nameless=$(free_port)
start nameless openssl s_server -accept "127.0.0.1:$nameless" -quiet \
	-cert "$T/nameless.crt" -key "$T/nameless.key" -www
must wait_for sh -c "echo | openssl s_client -connect 127.0.0.1:$nameless 2>/dev/null"
keeps 78 'a certificate without the name of the host' 'localhost' \
	qchat-provision -u admin --password-file "$T/password" \
	--port "$nameless" --ca "$S/ca.crt" update "$D" localhost
old=$(free_port)
start old openssl s_server -accept "127.0.0.1:$old" -quiet -tls1_1 \
	-cipher ALL:@SECLEVEL=0 -cert "$S/server.crt" -key "$S/server.key"
must wait_for sh -c "echo | openssl s_client -connect 127.0.0.1:$old 2>&1 |
	grep -q CONNECTED"
keeps 69 'a server of old TLS' \
	"localhost:$old: the TLS handshake failed: [a-z0-9 ]* protocol [a-z ]*$" \
	qchat-provision -u admin --password-file "$T/password" --port "$old" \
	--ca "$S/ca.crt" update "$D" localhost
keeps 69 'nobody there' 'connect' qchat-provision -u admin --password-file \
	"$T/password" --port 1 update "$D" 127.0.0.1
keeps 69 'an unknown name' 'not known' qchat-provision -u admin \
	--password-file "$T/password" update "$D" nowhere.invalid
keeps 64 'no name at all' 'no name' qchat-provision -u admin \
	--password-file "$T/password" update "$D" 'a/b?c@d'
while read -r host pattern; do
	keeps 64 "what is no host: $host" "^qchat-provision: $pattern\$" \
		setsid -w qchat-provision update "$D" "$host"
	cat "$T/err" >>"$T/hosts.err"
done <<'END'
localhost:8443 localhost:8443: is no name or address of a host \(write localhost, and --port 8443\)
https://localhost:8443/ https://localhost:8443/: is no name .* \(write localhost, and --port 8443\)
https://console.example.com/core https://console.example.com/core: is no name .* \(write console.example.com, and --port 443\)
console.example.com/core console.example.com/core: is no name .* \(write console.example.com\)
[::1] \[::1\]: is no name .* \(write ::1\)
https://[::1]:443 https://\[::1\]:443: is no name .* \(write ::1, and --port 443\)
::1::2 ::1::2: is no name .* \(the host alone, such as console.example.com, and --port if it is not 8443\)
localhost:8443x localhost:8443x: is no name .* \(the host alone, .*\)
localhost: localhost:: is no name .*
1:2:3 1:2:3: is no name .* \(the host alone, .*\)
https://u:hush@h.example/x https://\*\*\*@h.example/x: is no name .* \(write h.example, and --port 443\)
u:hush@h.example \*\*\*@h.example: is no name .* \(write h.example\)
https://u:hu@sh@h.example https://\*\*\*@h.example: is no name .*
u:hush@://h \*\*\*@://h: is no name .*
u:hush://x@h \*\*\*@h: is no name .*
END
not_ok 'none of them has told a password' grep -q hu "$T/hosts.err"
exit_is 64 'nor is one asked for a certificate' setsid -w qchat-provision \
	request "$D" localhost:8443 x
exit_is 64 'nor for a subject that cannot be' setsid -w qchat-provision \
	request --country DEU "$D" localhost x
like "$(err)" 'country' 'which is told before anything is asked'
exit_is 64 'and a name that cannot be' setsid -w qchat-provision request \
	--san a/b "$D" localhost x
is "$(tree "$D")" "$before" 'with all as it was'
exit_is 0 'no proxy of the environment is used' env \
	https_proxy=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1 \
	ALL_PROXY=http://127.0.0.1:1 qchat-provision -u admin --password-file \
	"$T/password" --port "$port" --ca "$S/ca.crt" update "$D" localhost

# What it answers.
before=$(tree "$D")
while read -r name status pattern; do
	mode "$name"
	keeps "$status" "request: $name" "$pattern" \
		ask request -W 20 "$D" localhost carol
done <<'END'
http-500 69 HTTP 500: Unable to sign
http-404 76 HTTP 404
html 76 management service
empty 76 management service
not-json 76 JSON
not-string 76 JSON
error 69 the service says Error 1: Not
huge 76 too large
huge-headers 76 too large
elsewhere 76 leads to another server, https://localhost:1/
other-host 76 leads to another server
plain-http 76 leads to another server
loop 76 more than 5 times
nowhere 76 does not say where
cut 69 localhost
other-key 76 another key
other-ca 76 none of the authorities
truncated 76 certificate 1 in it is damaged
truncated-ca 76 certificate 1 in it is damaged
html-pem 76 holds no certificate
no-pem 76 holds no certificate
leaf-ca 76 none of its certificates
leaf-among 76 none of the authorities
old 76 has expired
server-only 76 not one for TLS clients
many-certificates 76 more than 256
two-parts 76 less than three parts
no-brokers 76 names no broker
escape-broker 76 its host is no name
section-broker 76 its host is no name
id-broker 76 the id before =
port-broker 76 its port
many-brokers 76 too many
END
mode never
keeps 124 'request: never' 'no answer in time' \
	ask request -W 0.5 "$D" localhost carol
mode slow
keeps 124 'request: slow' 'no answer in time' \
	ask request -W 0.5 "$D" localhost carol
while read -r name pattern; do
	mode "$name"
	keeps 76 "update: $name" "$pattern" ask update "$D" localhost
done <<'END'
bundle-html holds no certificate
list-other no list of brokers
list-port its port
list-deep no list of brokers
END
# Not with a sanitizer, which wants more by itself.
if prlimit --as=400000000 qchat-provision --version >"$T/need.out" 2>&1; then
	mode huge
	exit_is 76 'a flood is not kept in memory' prlimit --as=400000000 \
		qchat-provision -u admin --password-file "$T/password" \
		--port "$port" --ca "$S/ca.crt" update "$D" localhost
fi

# What stands beside what was asked for does not come into a file.
mode more-pem
exit_is 0 'certificates among other things' ask request "$T/more" localhost x
is "$(grep -hc -e '-----BEGIN CERTIFICATE-----' "$T/more/ca-bundle.crt" \
	"$T/more/client.crt" | tr '\n' ' ')" '1 1 ' 'are taken'
is "$(grep -hv -e '^[A-Za-z0-9+/=]*$' -e '^-----[A-Z]* CERTIFICATE-----$' \
	"$T/more/ca-bundle.crt" "$T/more/client.crt")" '' 'and nothing else'
mode more-der
exit_is 0 'a certificate with more behind its end' ask request "$T/more" \
	localhost x
not_ok 'is written without that' sh -c \
	"sed '/-----/d' '$T/more/client.crt' | base64 -d | grep -aq Certs"

# A folder that cannot be written, or that everybody can write.
mode console
: >"$T/file"
exit_is 73 'no folder can be made there' ask request "$T/file/x" localhost x
exit_is 73 'no folder' ask request "$T/file" localhost x
like "$(err)" '/file: is not a folder$' 'is told'
is "$(asked)" 0 'and the service was not asked'
cp -r "$D" "$T/open"
before=$(tree "$T/open")
for wrong in 777 1777 702; do
	chmod "$wrong" "$T/open"
	exit_is 77 "request into a folder of mode $wrong" setsid -w \
		qchat-provision request "$T/open" localhost x
	like "$(err)" "/open: everybody can write .*\\(chmod o-w $T/open\\)" \
		'is told, and what helps'
done
exit_is 77 'generate into one' qchat-provision --force generate "$T/open" x
exit_is 77 'update of one' ask update "$T/open" localhost
exit_is 77 'import-ca into one' qchat-provision import-ca "$T/open" "$S/ca.crt"
exit_is 77 'import-brokers into one' qchat-provision import-brokers "$T/open" \
	"$T/nothing"
is "$(tree "$T/open")" "$before" 'none of these has changed anything'
is "$(asked)" 0 'nor asked'
exit_is 0 'show of one' qchat-provision show "$T/open"
chmod 775 "$T/open"
exit_is 0 'the folder of a group' ask update "$T/open" localhost

# Files that are elsewhere.
cp -r "$D" "$T/links"
mkdir "$T/elsewhere"
mv "$T/links/client.key" "$T/elsewhere/key"
ln -s ../elsewhere/key "$T/links/client.key"
cp "$T/elsewhere/key" "$T/old.key"
exit_is 0 'generate with a key that is elsewhere' \
	qchat-provision --force generate "$T/links" x
ok 'its link stays' test -L "$T/links/client.key"
not_ok 'and what it leads to is new' cmp "$T/elsewhere/key" "$T/old.key"
is "$(openssl req -in "$T/links/client.csr" -noout -pubkey)" \
	"$(openssl pkey -in "$T/elsewhere/key" -pubout)" \
	'the request is for that'
is "$(ls -A "$T/elsewhere")" key 'and nothing else is left there'
chmod 777 "$T/elsewhere"
cp "$T/elsewhere/key" "$T/old.key"
forget_asked
exit_is 77 'request, where others can write' setsid -w qchat-provision \
	request "$T/links" localhost x
like "$(err)" '/elsewhere: everybody can write' 'is told'
exit_is 77 'generate likewise' qchat-provision --force generate "$T/links" x
ok 'the key is as it was' cmp "$T/elsewhere/key" "$T/old.key"
is "$(asked)" 0 'and the service was not asked'
# Root in the folder of somebody who means harm.
if [ "$(id -u)" = 0 ]; then
	chmod 711 "$T"
	mkdir "$T/theirs"
	echo ours >"$T/victim"
	printf '[Certs]\nBrokerCertChain = ca-bundle.crt\n' \
		>"$T/theirs/dxlclient.config"
	ln -s ../victim "$T/theirs/ca-bundle.crt"
	chown -hR nobody "$T/theirs"
	exit_is 77 'import-ca through a link of another user' \
		qchat-provision import-ca "$T/theirs" "$S/ca.crt"
	like "$(err)" '/victim: is outside of .*/theirs.*as that user' 'is told'
	is "$(cat "$T/victim")" ours 'and what it leads to is kept'
	rm "$T/theirs/ca-bundle.crt"
	exit_is 0 'import-ca into a folder of theirs' \
		qchat-provision import-ca "$T/theirs" "$S/ca.crt"
	is "$(stat -c %U "$T/theirs/ca-bundle.crt")" nobody \
		'makes a file of theirs'
fi

# update
cp -r "$D" "$T/up"
printf '[Other]\r\na = b\r\n[Certs]\r\nBrokerCertChain=sub/bundle.pem\r\nCertFile=client.crt\r\nPrivateKey=client.key\r\n[Brokers]\r\nold=old;1;h\r\n' \
	>"$T/up/dxlclient.config"
mkdir "$T/up/sub"
mode web-clients
exit_is 0 'update' ask update "$T/up" localhost
is "$(asked)" 4 'two questions, one login'
is "$(tr -d '\r' <"$T/up/dxlclient.config")" "[Other]
a = b
[Certs]
BrokerCertChain=sub/bundle.pem
CertFile=client.crt
PrivateKey=client.key
[Brokers]
local = local;$broker_port;localhost;127.0.0.1
external = external;$broker_port;127.0.0.1;127.0.0.1
{2c5b107c-7f51-11e7-0ebf-0800271cfa58} = {2c5b107c-7f51-11e7-0ebf-0800271cfa58};$broker_port;localhost

[BrokersWebSockets]
local = local;8443;localhost;127.0.0.1
external = external;8443;127.0.0.1;127.0.0.1
{2c5b107c-7f51-11e7-0ebf-0800271cfa58} = {2c5b107c-7f51-11e7-0ebf-0800271cfa58};8443;localhost" \
	'takes the brokers, under the name that the clients know'
is "$(grep -vc "$(printf '\r')\$" "$T/up/dxlclient.config")" 0 \
	'lines end as they did'
is "$(grep -c BEGIN "$T/up/sub/bundle.pem")" 2 \
	'the authorities are in the file that was named'
is "$(find "$T/up" -name '*.qchat-*')" '' 'and nothing else is left'
mode web-none
exit_is 0 'an answer that says nothing of WebSockets' ask update "$T/up" localhost
is "$(grep -c ';8443;' "$T/up/dxlclient.config")" 3 'leaves them'
like "$(err)" 'all is as it was' 'nothing has changed'
mode list-text
exit_is 0 'a port in text' ask update "$T/up" localhost
is "$(grep -c ';443;' "$T/up/dxlclient.config")" 3 \
	'and the name that the console knows'
mode list-gone
exit_is 0 'brokers that are gone' ask update "$T/up" localhost
is "$(grep -c ';' "$T/up/dxlclient.config")" 1 'are gone'
exit_is 66 'without a configuration' ask update "$T/made" localhost
like "$(err)" 'dxlclient.config: No such file' 'it is said'

# import
I=$T/import
exit_is 0 'generate for what ePO signs' qchat-provision generate "$I" grace
openssl x509 -req -in "$I/client.csr" -CA "$S/ca.crt" -CAkey "$S/ca.key" \
	-days 30 -out "$I/client.crt" 2>"$T/need.out"
{
	echo 'what an export has around it'
	cat "$S/ca.crt"
} >"$T/brokercerts.crt"
printf '#Wed Nov 25 2026\r\n\r\n{11}={11};%s;localhost;127.0.0.1\r\n{22}={22};8883;\\:\\:1\r\n' \
	"$broker_port" >"$T/brokerlist.properties"
exit_is 0 'import-ca' qchat-provision import-ca "$I" "$T/brokercerts.crt"
is "$(cat "$I/ca-bundle.crt")" "$(cat "$S/ca.crt")" 'takes the certificates'
not_ok 'and makes no configuration' test -e "$I/dxlclient.config"
exit_is 0 'import-brokers' qchat-provision import-brokers "$I" \
	"$T/brokerlist.properties"
like "$(cat "$I/dxlclient.config")" '^\{22\} = \{22\};8883;::1$' 'takes them'
exit_is 0 'a post with that' qchat-say --dxl-config "$I/dxlclient.config" \
	-r ops hello
before=$(tree "$I")
exit_is 65 'import-ca of what is none' qchat-provision import-ca "$I" \
	"$T/brokerlist.properties"
exit_is 65 'import-ca of a client' qchat-provision import-ca "$I" \
	"$I/client.crt"
exit_is 65 'import-brokers of what are none' qchat-provision import-brokers \
	"$I" "$S/ca.crt"
exit_is 66 'import-brokers of nothing' qchat-provision import-brokers "$I" \
	"$T/nothing"
is "$(tree "$I")" "$before" 'leave all alone'
echo '{"brokers": [{"guid": "j", "hostName": "h", "port": 1}]}' >"$T/json"
exit_is 0 'import-brokers of JSON, from standard input' \
	sh -c "qchat-provision import-brokers '$I' - <'$T/json'"
like "$(cat "$I/dxlclient.config")" '^j = j;1;h$' 'takes them'
echo 'BrokerCertChain' >>"$I/dxlclient.config"
before=$(tree "$I")
exit_is 78 'a configuration that cannot be read' qchat-provision \
	import-brokers "$I" "$T/brokerlist.properties"
like "$(err)" "could not be read with what is new in it.*:[0-9]+: neither" \
	'is told'
not_ok 'and no file of a moment is named' grep -q qchat-new "$T/err"
is "$(tree "$I")" "$before" 'and left alone'

# show
exit_is 0 'show' qchat-provision show "$D"
is "$(value subject)" 'CN=carol' 'whose'
is "$(value issuer)" 'CN=QChat test CA' 'by whom'
is "$(value issued)" yes 'the CA has issued it'
is "$(value fits)" yes 'the key fits'
is "$(value algorithm)" 'RSA 2048' 'what kind of key'
like "$(value until)" '^20[0-9-]{8}$' 'until when'
is "$(value fingerprint)" "$(openssl x509 -in "$D/client.crt" -outform DER |
	sha256sum | cut -c 1-64)" 'its fingerprint'
is "$(value broker)" "localhost:$broker_port yes
127.0.0.1:$broker_port yes
localhost:$broker_port yes" 'the brokers answer'
exit_is 0 'show -q' qchat-provision -q show "$D"
is "$(out)$(err)" '' 'says nothing'
exit_is 0 'show by --dxl-config' qchat-provision --dxl-config \
	"$D/dxlclient.config" show
as bob exit_is 0 'show of a qchat.conf' qchat-provision show
is "$(value subject)" CN=bob 'tells what it names'
exit_is 1 'show where not all is there' qchat-provision show "$T/made"
is "$(value fits)$(value brokers)" untriedno 'tells what there is'
exit_is 66 'show of nothing' qchat-provision show "$T/nothing"
cp -r "$D" "$T/bad"
cp "$T/later/two.key" "$T/bad/client.key"
exit_is 1 'show with another key' qchat-provision show "$T/bad"
is "$(value fits)" no 'it does not fit'
like "$(value broker)" untried 'no broker is tried'
cp "$D/client.key" "$T/bad"
unread() {
	exit_is 1 "show with $1" setsid -w qchat-provision show "$T/bad"
	is "$(value fits)" untried 'does not say whether it fits'
	like "$(err)" "$2" 'and why not'
}
chmod 644 "$T/bad/client.key"
unread 'a key that others can read' '/client\.key: everybody can read'
chmod 600 "$T/bad/client.key"
: >"$T/bad/client.key"
unread 'an empty key' '/client\.key: holds no usable private key'
rm "$T/bad/client.key"
unread 'no key' '/client\.key: No such file'
must openssl pkey -in "$D/client.key" -aes256 -passout 'pass:correct horse' \
	-out "$T/bad/client.key"
unread 'an encrypted key, and nobody to ask' 'client\.key: is encrypted, and there is no terminal'
cp "$D/client.key" "$T/bad"
rm "$T/bad/client.crt"
unread 'no certificate' '/client\.crt: No such file'
cp "$D/client.crt" "$T/bad"
cp "$S/other-ca.crt" "$T/bad/ca-bundle.crt"
exit_is 1 'show with another CA' qchat-provision show "$T/bad"
is "$(value issued)" no 'it has not issued it'
like "$(value broker)" ' no$' 'no broker is good'
like "$(err)" 'not among the CAs' 'and why'
cp "$D/ca-bundle.crt" "$T/bad"
sed -i "s/;$broker_port;/;1;/" "$T/bad/dxlclient.config"
exit_is 1 'show with nobody there' qchat-provision show "$T/bad"
like "$(value broker)" '^localhost:1 no$' 'no broker answers'

done_testing
