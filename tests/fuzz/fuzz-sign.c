/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of signatures as a stranger writes them: nothing is good but the one
 * message that the key of the test vector (tests/data/sign) has signed, and
 * base64 has one text.  The input is fields between "|~|": qchat.bind,
 * qchat.cert, qchat.sig, topic, payload.
 */
#include "fuzz.h"
#include "memory.h"
#include "sign_state.h"

#include <stdlib.h>
#include <string.h>

static const char ca[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBbDCCAROgAwIBAgIBATAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJRQ2hhdCB0\n"
	"ZXN0IHZlY3RvcnMwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMB0x\n"
	"GzAZBgNVBAMMElFDaGF0IHRlc3QgdmVjdG9yczBZMBMGByqGSM49AgEGCCqGSM49\n"
	"AwEHA0IABFU5hXd1zR2UUFCcVTwDUI9Ncn8ZFSQgfVcPwVtbNjAXrVNIJOyHWPBv\n"
	"bVpEsyJJcNsZYEI5wAVuSiouzai9NaOjQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYD\n"
	"VR0PAQH/BAQDAgEGMB0GA1UdDgQWBBTUkoU7tGOKPv+8I+TPNwLg8kaAhTAKBggq\n"
	"hkjOPQQDAgNHADBEAiAbylIge1WREkFi+Bw+gcnJ3k3p16CwHtI05q8TfXvqwAIg\n"
	"fdmKNFk29zbl+x+RE79RgCrcnH0VbUBx8JuXqVvb0ZM=\n"
	"-----END CERTIFICATE-----\n";
static const char own_bind[] =
	"AXm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZkZLEBsdC+WocEvQePmJUA"
	"H8A+jp+VIvGI3RKNmEbUhGYAAAGiBqajzwAAAaIqvE+PEcQvdto2tPotFkUI1I/o"
	"e4K2cdSVZd3+lvzBQcA5DVYAAGZj2sVizOcT3ITDZ1d1oHIjeLBAGAmYJsvHdS90"
	"S1rGawywIuFWxfWe+TtbHkF7sAOrrOJ7+37hwOlqAK5tjwA=";
static const char own_cert[] =
	"MIIBXjCCAQSgAwIBAgIBBDAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJRQ2hhdCB0"
	"ZXN0IHZlY3RvcnMwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBox"
	"GDAWBgNVBAMMD2FsaWNlIChlZDI1NTE5KTAqMAUGAytlcAMhACnuRrRCb00EMGjN"
	"c1jMI0X/8VmqsbeyMJM18PNO4jTXo2UwYzAMBgNVHRMBAf8EAjAAMBMGA1UdJQQM"
	"MAoGCCsGAQUFBwMCMB0GA1UdDgQWBBTYYNahXvdSdiYgQqSCOUpLfSwLFzAfBgNV"
	"HSMEGDAWgBTUkoU7tGOKPv+8I+TPNwLg8kaAhTAKBggqhkjOPQQDAgNIADBFAiEA"
	"+X+Q5Kw1cHHcKBR2HmMIRu5aPyXGWfCE+6+u7K1dooUCIELPo7dcDduR/XgmtFo6"
	"ZSFv5c4uvZzpuhvAGkCsIWKE";
static const char own_sig[] =
	"AeRWIWOwxDHGxKufbcgNjTavJpzLFdR41yLeh6YtWbBlAAABogavzAp9KkDLJjPC"
	"7QeAvkbKGExMsNLii2udldFJxoDzM5ItKf09617+juiBjDZnGsvNWObRLlPa+2vh"
	"ldOj4yZNJhAP";
static const char own_topic[] = "/mcafee/event/qchat/incident-42";
static const char own_payload[] =
	"{\"type\": 1, \"message\": \"gr\\u00fc\303\237 Gott\", \"time\": "
	"\"1795408514\", \"user\": \"alice\", \"UID\": "
	"\"00112233445566778899aabbccddeeff\", \"seq\": 1}";

/* When the vector was made. */
#define NOW INT64_C(1795408513935)

static void
check_base64(struct span text, size_t max)
{
	unsigned char *bytes = memory_alloc(max + 2, 1);
	long len = sign_decode(bytes, text, max);

	FUZZ_CHECK(len <= (long)max);
	if (len >= 0) {
		char *again = memory_alloc(text.len + 1, 1);

		sign_encode(again,
			(struct span){ (const char *)bytes, (size_t)len });
		FUZZ_CHECK(span_equal(text, span_of(again)));
		free(again);
	}
	free(bytes);
}

/* A body that is read is made again to the byte. */
static void
check_binding(struct span text)
{
	unsigned char bytes[SIGN_BIND_BYTES_MAX + 2];
	struct text body = { 0 };
	struct binding binding;

	long len = sign_decode(bytes, text, SIGN_BIND_BYTES_MAX);
	if (len < 0 ||
		binding_parse(&binding,
			(struct span){ (const char *)bytes, (size_t)len }) !=
			NULL)
		return;
	binding_format(&binding, &body);
	FUZZ_CHECK(span_equal(binding.body,
		(struct span){ body.bytes, body.len }));
	text_free(&body);
}

struct input {
	struct span bind, cert, sig, topic, payload;
};

static void
check_verdict(struct verifier *verifier, const struct input *input)
{
	struct verdict verdict;
	enum sign_state state = verifier_check(verifier, span_of("peer"),
		input->topic, input->payload, input->sig, NOW, &verdict);

	FUZZ_CHECK(state == verdict.state && state != SIGN_NONE);
	FUZZ_CHECK((state == SIGN_GOOD) == (verdict.why == NULL));
	if (state != SIGN_GOOD)
		return;
	FUZZ_CHECK(span_equal(input->topic, span_of(own_topic)));
	FUZZ_CHECK(span_equal(input->payload, span_of(own_payload)));
	/* Other vectors are of the same keys and the same message. */
	FUZZ_CHECK(span_equal(input->sig, span_of(own_sig)) ||
		!span_equal(input->bind, span_of(own_bind)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span left = { (const char *)data, size };
	const struct verifier_config config = { .ca = span_of(ca),
		.ca_file = "ca.pem" };
	struct fault fault = { 0 };
	struct verifier *verifier = verifier_new(&config, &fault);
	struct input input;
	const char *why;

	input.bind = fuzz_field(&left);
	input.cert = fuzz_field(&left);
	input.sig = fuzz_field(&left);
	input.topic = fuzz_field(&left);
	input.payload = left;
	check_base64(input.bind, SIGN_BIND_BYTES_MAX);
	check_base64(input.cert, SIGN_CERT_BYTES_MAX);
	check_base64(input.sig, SIGN_SIG_BYTES);
	check_binding(input.bind);
	enum verifier_learned learned = verifier_learn(verifier,
		span_of("peer"), input.bind, input.cert, NOW, &why);
	FUZZ_CHECK((learned == VERIFIER_BAD) == (why != NULL));
	check_verdict(verifier, &input);
	/* The key, and whatever comes with it. */
	FUZZ_CHECK(verifier_learn(verifier, span_of("peer"), span_of(own_bind),
			   span_of(own_cert), NOW, NULL) <= VERIFIER_NEW);
	verifier_learn(verifier, span_of("peer"), span_of(own_bind), input.cert,
		NOW, &why);
	check_verdict(verifier, &input);
	verifier_free(verifier);
	return 0;
}
