/* SPDX-License-Identifier: Apache-2.0 */
#include "provision_http.h"

#include "memory.h"
#include "peer.h"
#include "session.h"
#include "translate.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REASON_MAX = 200 }; /* bytes of what stands behind a status */

struct http {
	struct http_server server;
	CURL *curl;
	char *name;
	char *origin; /* https://host:port */
	char error[CURL_ERROR_SIZE];
	struct peer peer;

	/* of the request that is on its way */
	struct text *body;
	size_t body_max;
	size_t header_len;
	bool is_large;
	char reason[REASON_MAX]; /* the last one, foreign */
	struct text location;    /* where it leads, foreign; "": nowhere */
};

static size_t
on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http *http = context;

	(void)size; /* is 1 */
	if (count > http->body_max - http->body->len) {
		http->is_large = true;
		return 0;
	}
	text_append(http->body, bytes, count);
	return count;
}

/* "HTTP/1.1 500 what went wrong" */
static void
keep_reason(struct http *http, struct span line)
{
	size_t len = 0;

	for (int blanks = 2; blanks > 0 && line.len > 0; line.len--)
		blanks -= *line.bytes++ == ' ';
	while (len < line.len && len < REASON_MAX - 1 &&
		strchr("\r\n", line.bytes[len]) == NULL)
		len++;
	memcpy(http->reason, line.bytes, len);
	http->reason[len] = '\0';
}

static void
keep_location(struct http *http, struct span line)
{
	static const char name[] = "location:";
	size_t len = sizeof(name) - 1;

	if (line.len < len || strncasecmp(line.bytes, name, len) != 0)
		return;
	while (len < line.len && strchr(" \t", line.bytes[len]) != NULL)
		len++;
	while (line.len > len &&
		strchr(" \t\r\n", line.bytes[line.len - 1]) != NULL)
		line.len--;
	text_clear(&http->location);
	text_append(&http->location, line.bytes + len, line.len - len);
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http *http = context;

	(void)size;
	http->header_len += count;
	if (http->header_len > HTTP_HEADERS_MAX) {
		http->is_large = true;
		return 0;
	}
	/* Each response of several has its own. */
	if (count > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		keep_reason(http, (struct span){ bytes, count });
		text_clear(&http->location);
	}
	keep_location(http, (struct span){ bytes, count });
	return count;
}

static CURLcode
on_context(CURL *curl, void *ssl_context, void *context)
{
	struct http *http = context;

	(void)curl;
	peer_watch(&http->peer, ssl_context);
	return CURLE_OK;
}

/* Sets what is the same for all requests.  CURLE_OK, or what was refused. */
static CURLcode
set_up(struct http *http)
{
	const struct http_server *server = &http->server;
	CURL *curl = http->curl;
	CURLcode rc = CURLE_OK;

#define SET(option, value) \
	rc = rc == CURLE_OK ? curl_easy_setopt(curl, option, value) : rc
	SET(CURLOPT_ERRORBUFFER, http->error);
	SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "https");
#else
	SET(CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_COOKIEFILE, "");
	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_USERNAME, server->user);
	SET(CURLOPT_PASSWORD, server->password);
	SET(CURLOPT_USERAGENT, "qchat-provision/" PACKAGE_VERSION);
	/* Its reason phrase is where the service says what went wrong. */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	/* The pinned certificate is the server's, whatever its name. */
	SET(CURLOPT_SSL_VERIFYHOST, server->pin != NULL ? 0L : 2L);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_context);
	SET(CURLOPT_SSL_CTX_DATA, http);
	/* A machine may have none, and a pin needs none. */
	if (server->ca != NULL || server->pin != NULL) {
		SET(CURLOPT_CAINFO, server->ca);
		SET(CURLOPT_CAPATH, NULL);
	}
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, http);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, http);
#undef SET
	return rc;
}

/* The part of an URL, or "" if it has none; the caller frees it. */
static char *
url_part(CURLU *url, CURLUPart part, unsigned flags)
{
	char *found = NULL;

	curl_url_get(url, part, &found, flags);
	char *copy = memory_string(found != NULL ? found : "");
	curl_free(found);
	return copy;
}

/* Is it https, the same host and port, and without a user of its own? */
static bool
is_same_origin(CURLU *a, CURLU *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST,
		CURLUPART_PORT, CURLUPART_USER };
	bool same = true;

	for (size_t i = 0; same && i < sizeof(parts) / sizeof(*parts); i++) {
		char *mine = url_part(a, parts[i], CURLU_DEFAULT_PORT);
		char *other = url_part(b, parts[i], CURLU_DEFAULT_PORT);

		same = strcasecmp(mine, other) == 0;
		free(mine);
		free(other);
	}
	return same;
}

/* Where a location leads to from an URL, if that is the same server; the
 * caller frees it.  NULL if it is not.  libcurl's own idea of it would have
 * user and password in it. */
static char *
resolve(const char *url, const char *location)
{
	CURLU *from = curl_url(), *to = curl_url();
	char *found = NULL;

	if (from != NULL && to != NULL &&
		curl_url_set(from, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_set(to, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_set(to, CURLUPART_URL, location, 0) == CURLUE_OK &&
		is_same_origin(from, to))
		found = url_part(to, CURLUPART_URL, CURLU_DEFAULT_PORT);
	curl_url_cleanup(from);
	curl_url_cleanup(to);
	return found;
}

/* What has colons is an address of IPv6, or nothing. */
static bool
is_host(const char *host)
{
	struct in6_addr address;

	if (strchr(host, ':') != NULL)
		return inet_pton(AF_INET6, host, &address) == 1;
	return *host != '\0' &&
		host[strspn(host,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz0123456789-._")] == '\0';
}

/* The host of what may be an URL, or "", without brackets; and its port, ""
 * if it says none.  The caller frees both. */
static char *
take_apart(const char *text, char **port)
{
	bool has_scheme = strstr(text, "://") != NULL;
	CURLU *url = curl_url();

	if (url == NULL)
		memory_out();
	curl_url_set(url, CURLUPART_URL, text,
		CURLU_DEFAULT_SCHEME | CURLU_NON_SUPPORT_SCHEME);
	char *host = url_part(url, CURLUPART_HOST, 0);
	*port = url_part(url, CURLUPART_PORT,
		has_scheme ? CURLU_DEFAULT_PORT : 0);
	curl_url_cleanup(url);
	size_t len = strlen(host);
	if (len > 2 && *host == '[') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
	return host;
}

/* Without user and password, which may stand before an @.  The caller frees
 * it. */
static char *
without_user(const char *text)
{
	const char *at = strrchr(text, '@');
	size_t scheme = strcspn(text, ":@");

	if (at == NULL)
		return memory_string(text);
	if (strncmp(text + scheme, "://", 3) == 0)
		scheme += 3;
	else
		scheme = 0;
	return memory_format("%.*s***%s", (int)scheme, text, at);
}

int
http_check_host(const char *operand, struct fault *fault)
{
	const char *what = _("is no name or address of a host");

	if (is_host(operand))
		return 0;
	char *port, *host = take_apart(operand, &port);
	char *text = without_user(operand);
	if (!is_host(host))
		fault_set(fault, FAULT_USAGE,
			"%s: %s (the host alone, such as console.example.com, "
			"and --port if it is not %d)",
			text, what, HTTP_PORT);
	else if (*port != '\0')
		fault_set(fault, FAULT_USAGE,
			"%s: %s (write %s, and --port %s)", text, what, host,
			port);
	else
		fault_set(fault, FAULT_USAGE, "%s: %s (write %s)", text, what,
			host);
	free(text);
	free(host);
	free(port);
	return -1;
}

struct http *
http_open(const struct http_server *server, struct fault *fault)
{
	static bool is_begun;
	struct http *http;
	CURLcode rc = CURLE_OK;

	if (http_check_host(server->host, fault) < 0)
		return NULL;
	if (!is_begun)
		rc = curl_global_init(CURL_GLOBAL_DEFAULT);
	is_begun = true;
	bool is_v6 = strchr(server->host, ':') != NULL;
	http = memory_alloc(1, sizeof(*http));
	http->server = *server;
	http->peer.pin = server->pin;
	http->name = memory_format("%s:%u", server->host, server->port);
	http->origin = memory_format(is_v6 ? "https://[%s]:%u"
					   : "https://%s:%u",
		server->host, server->port);
	http->curl = curl_easy_init();
	if (http->curl == NULL)
		rc = CURLE_FAILED_INIT;
	if (rc == CURLE_OK)
		rc = set_up(http);
	if (rc == CURLE_OK)
		return http;
	fault_set(fault, FAULT_INTERNAL,
		"libcurl does not do what is needed: %s (it has to be one "
		"with OpenSSL)",
		curl_easy_strerror(rc));
	http_close(http);
	return NULL;
}

void
http_close(struct http *http)
{
	if (http == NULL)
		return;
	curl_easy_cleanup(http->curl);
	text_free(&http->location);
	free(http->origin);
	free(http->name);
	free(http);
}

const char *
http_name(const struct http *http)
{
	return http->name;
}

static int
explain_certificate(const struct http *http, struct fault *fault)
{
	const struct peer *peer = &http->peer;

	if (peer->is_refused)
		return fault_set(fault, FAULT_CONFIG,
			"%s: shows certificate %s, of \"%s\", and not the one "
			"that --pin names (nothing was sent to it)",
			http->name, peer->fingerprint, peer->name);
	if (peer->is_seen)
		return fault_set(fault, FAULT_CONFIG,
			"%s: the certificate that it shows is not good for "
			"this host: %s (--ca FILE names the CA; or, if its "
			"owner confirms this fingerprint: --pin %s)",
			http->name,
			peer_error(peer) != NULL ? peer_error(peer)
						 : http->error,
			peer->fingerprint);
	return fault_set(fault, FAULT_CONFIG, "%s: %s", http->name,
		http->error);
}

/* What libcurl says, without OpenSSL's version and codes: "error:0A00010B:SSL
 * routines::wrong version number" */
static const char *
words(const struct http *http, CURLcode rc)
{
	const char *what = *http->error != '\0' ? http->error
						: curl_easy_strerror(rc);
	const char *code = strstr(what, "error:");
	const char *reason = code != NULL ? strstr(code, "::") : NULL;

	return reason != NULL ? reason + 2 : what;
}

static int
explain_handshake(const struct http *http, const char *what,
	struct fault *fault)
{
	if (strstr(what, "wrong version number") != NULL)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%s: what answers there does not speak TLS (is it the "
			"right port?)",
			http->name);
	return fault_set(fault, FAULT_UNAVAILABLE,
		"%s: the TLS handshake failed: %s", http->name, what);
}

static int
explain(const struct http *http, CURLcode rc, struct fault *fault)
{
	const char *what = words(http, rc);

	if (http->is_large)
		return fault_set(fault, FAULT_PROTOCOL,
			"%s: the answer is too large", http->name);
	switch (rc) {
	case CURLE_OPERATION_TIMEDOUT:
		return fault_set(fault, FAULT_TIMEOUT,
			"%s: no answer in time (-W gives it more)", http->name);
	case CURLE_PEER_FAILED_VERIFICATION:
		return explain_certificate(http, fault);
	case CURLE_SSL_CACERT_BADFILE:
		return fault_set(fault, FAULT_CONFIG,
			"%s: holds no certificates in PEM form that could be "
			"read (--ca FILE names others, --pin the service's)",
			http->server.ca != NULL ? http->server.ca
						: _("the system's CA file"));
	case CURLE_SSL_CONNECT_ERROR:
		/* Some versions of libcurl say it so. */
		if (http->peer.is_refused || peer_error(&http->peer) != NULL)
			return explain_certificate(http, fault);
		return explain_handshake(http, what, fault);
	case CURLE_COULDNT_RESOLVE_HOST:
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%s: the name is not known", http->server.host);
	case CURLE_COULDNT_CONNECT:
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%s: cannot be connected to: %s", http->name, what);
	case CURLE_OUT_OF_MEMORY:
		memory_out();
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return fault_set(fault, FAULT_PROTOCOL,
			"%s: what answers there does not speak HTTP: %s",
			http->name, what);
	default:
		return fault_set(fault, FAULT_UNAVAILABLE, "%s: %s", http->name,
			what);
	}
}

static int
explain_status(const struct http *http, long status, struct fault *fault)
{
	const char *said = *http->reason != '\0' ? http->reason
						 : _("no reason");

	if (status == 401)
		return fault_set(fault, FAULT_NOPERM,
			"%s: does not take this user and password (%s)",
			http->name, said);
	if (status == 403)
		return fault_set(fault, FAULT_NOPERM,
			"%s: this user may not do that (%s)", http->name, said);
	if (status >= 500)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%s: the service failed with HTTP %ld: %s", http->name,
			status, said);
	return fault_set(fault, FAULT_PROTOCOL,
		"%s: answers with HTTP %ld: %s (is it a management service?)",
		http->name, status, said);
}

static void
trace(const struct http *http, const char *what, const char *url)
{
	if (http->server.trace == NULL)
		return;
	/* Without what the URL asks. */
	char *text = memory_format("%s %.*s", what, (int)strcspn(url, "?"),
		url);
	http->server.trace(http->server.context, text);
	free(text);
}

/* One response.  Its status; or -1. */
static long
perform(struct http *http, const char *url, struct fault *fault)
{
	int64_t left = http->server.until - session_now().mono;
	long status = 0;

	text_clear(http->body);
	*http->error = *http->reason = '\0';
	if (left <= 0)
		return explain(http, CURLE_OPERATION_TIMEDOUT, fault);
	if (left > INT_MAX)
		left = INT_MAX;
	curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)left);
	curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)left);
	CURLcode rc = curl_easy_setopt(http->curl, CURLOPT_URL, url);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(http->curl);
	if (rc != CURLE_OK)
		return explain(http, rc, fault);
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
		status == 307 || status == 308;
}

/* The URL that a redirection leads to; NULL with a fault. */
static char *
redirect(struct http *http, const char *url, long status, struct fault *fault)
{
	if (http->location.len == 0) {
		fault_set(fault, FAULT_PROTOCOL,
			"%s: leads elsewhere (HTTP %ld) and does not say where",
			http->name, status);
		return NULL;
	}
	char *next = resolve(url, http->location.bytes);
	if (next == NULL)
		fault_set(fault, FAULT_PROTOCOL,
			"%s: leads to another server, %.200s, which is not "
			"followed",
			http->name, http->location.bytes);
	return next;
}

/* Follows redirections to the end; *url is replaced. */
static int
follow(struct http *http, char **url, struct fault *fault)
{
	for (int i = 0; i <= HTTP_REDIRECTS_MAX; i++) {
		trace(http, _("asking"), *url);
		long status = perform(http, *url, fault);
		if (status < 0)
			return -1;
		if (status == 200)
			return 0;
		if (!is_redirect(status))
			return explain_status(http, status, fault);
		char *next = redirect(http, *url, status, fault);
		if (next == NULL)
			return -1;
		free(*url);
		*url = next;
	}
	return fault_set(fault, FAULT_PROTOCOL,
		"%s: leads from one place to the next (more than %d times)",
		http->name, HTTP_REDIRECTS_MAX);
}

int
http_get(struct http *http, const char *command, const char *parameter,
	struct span value, size_t most, struct text *body, struct fault *fault)
{
	struct text url = { 0 };

	text_appendf(&url, "%s/remote/%s?", http->origin, command);
	if (parameter != NULL) {
		char *escaped = curl_easy_escape(http->curl, value.bytes,
			(int)value.len);

		if (escaped == NULL)
			memory_out();
		text_appendf(&url, "%s=%s&", parameter, escaped);
		curl_free(escaped);
	}
	text_append_string(&url, "%3Aoutput=json");
	http->body = body;
	http->body_max = most;
	http->header_len = 0;
	http->is_large = false;
	int rc = follow(http, &url.bytes, fault);
	free(url.bytes);
	return rc;
}
