/* SPDX-License-Identifier: Apache-2.0 */
/* What a TIE server is asked and answers: the exchanges of the original's
 * client with a stand-in (tests/data/dxl/python/services), and what else may
 * come. */
#include "tie.h"

#include "dxl.h"
#include "memory.h"
#include "tap.h"

#include <jansson.h>
#include <stdlib.h>

#define MD5  "f2c7bb8acc97f92e987a2d4087d021b1"
#define SHA1 "7eb0139d2175739b3ccb0d1110067820be6abd29"
#define SHA256 \
	"142e1d688ef0568370c37187fd9f2351d7ddeda574f8bfa9b0fa4ef42db85aa2"

/* Of a file in tests/data: its topic, and its message. */
static struct exchange {
	struct text bytes;
	struct dxl_message message;
	json_t *json;
} last;

static void
load(const char *name)
{
	const char *srcdir = getenv("srcdir");
	char *path = memory_format("%s/tests/data/dxl/python/services/%s.bin",
		srcdir != NULL ? srcdir : ".", name);
	FILE *file = fopen(path, "rb");
	struct fault fault = { 0 };

	dxl_message_free(&last.message);
	json_decref(last.json);
	text_clear(&last.bytes);
	if (file != NULL) {
		char *bytes = text_extend(&last.bytes, 65536);

		last.bytes.len = fread(bytes, 1, 65536, file);
		fclose(file);
	}
	memcpy(path + strlen(path) - 3, "jso", 3);
	char *description = memory_format("%sn", path);
	last.json = json_load_file(description, 0, NULL);
	ok(dxl_parse(&last.message,
		   (struct span){ last.bytes.bytes, last.bytes.len },
		   &fault) == 0 &&
			last.json != NULL,
		"%s is there", name);
	free(description);
	free(path);
}

static struct tie_subject
subject_of(bool is_certificate, const char *a, const char *b, const char *c)
{
	const char *const all[] = { a, b, c };
	struct tie_subject subject = { .is_certificate = is_certificate };

	for (size_t i = 0; i < 3; i++)
		if (all[i] != NULL &&
			digest_from_hex(&subject.digests[subject.count],
				span_of(all[i])) == 0)
			subject.count++;
	return subject;
}

static struct tie_subject
certificate(void)
{
	struct tie_subject subject = subject_of(true,
		"6eae26db8c13182a7947982991b4321732cc3de2", NULL, NULL);

	subject.has_public_key = digest_from_hex(&subject.public_key,
					 span_of("3b87a2d6f3977016036"
						 "4b79a152fcc73bae27adf")) == 0;
	return subject;
}

/* Does a payload say the same as that of a file? */
static void
request_is(const char *name, const char *topic, struct text *payload)
{
	load(name);
	is(json_string_value(json_object_get(last.json, "publishTopic")), topic,
		"it goes to the same topic");
	json_t *ours = json_loadb(payload->bytes, payload->len, 0, NULL);
	json_t *theirs = json_loadb(last.message.payload.bytes,
		last.message.payload.len, 0, NULL);
	if (!ok(ours != NULL && json_equal(ours, theirs),
		    "and asks the same as %s", name))
		printf("# %s\n", payload->bytes);
	json_decref(ours);
	json_decref(theirs);
	text_clear(payload);
}

static void
test_requests(void)
{
	struct text payload = { 0 };
	struct tie_subject all = subject_of(false, MD5, SHA1, SHA256);
	struct tie_subject one = subject_of(false, MD5, NULL, NULL);
	struct tie_subject none = subject_of(false,
		"00000000000000000000000000000000", NULL, NULL);
	struct tie_subject of_key = certificate();

	tie_ask_reputation(&all, &payload);
	request_is("tie-file-reputation-01-request", TIE_FILE_REPUTATION,
		&payload);
	tie_ask_reputation(&one, &payload);
	request_is("tie-file-reputation-02-request", TIE_FILE_REPUTATION,
		&payload);
	tie_ask_reputation(&none, &payload);
	request_is("tie-file-reputation-03-request", TIE_FILE_REPUTATION,
		&payload);
	tie_ask_agents(&all, TIE_AGENTS_USUAL, &payload);
	request_is("tie-file-agents-01-request", TIE_FILE_AGENTS, &payload);
	all.name = "notepad.exe";
	tie_ask_set(&all, 99, "Reputation set via OpenDXL", &payload);
	request_is("tie-file-set-01-request", TIE_FILE_SET, &payload);
	tie_ask_reputation(&of_key, &payload);
	request_is("tie-cert-reputation-01-request", TIE_CERT_REPUTATION,
		&payload);
	tie_ask_agents(&of_key, TIE_AGENTS_USUAL, &payload);
	request_is("tie-cert-agents-01-request", TIE_CERT_AGENTS, &payload);
	tie_ask_set(&of_key, 99, "Reputation set via OpenDXL", &payload);
	request_is("tie-cert-set-01-request", TIE_CERT_SET, &payload);

	tie_report(&all, 99, 18, "Reputation set via OpenDXL", &payload);
	request_is("tie-external-set-03-event", TIE_FILE_REPORT, &payload);

	all.name = "a\xff\\\xc3\xbc\n\xc3";
	tie_ask_set(&all, 1, NULL, &payload);
	ok(strstr(payload.bytes,
		   "\"filename\":\"a\\\\xff\\\\\xc3\xbc\\n\\\\xc3\","
		   "\"comment\":\"\"") != NULL,
		"bytes of a name that are not UTF-8 are made visible");
	text_free(&payload);
}

static void
details_are(const struct tie_reputation *reputation, const char *want)
{
	struct text text = { 0 };

	tie_append_details(reputation, &text);
	is(text.len > 0 ? text.bytes : "", want, "its details in words");
	text_free(&text);
}

static void
test_reputations(void)
{
	struct tie_reputations reputations;
	struct fault fault = { 0 };

	load("tie-file-reputation-01-response");
	if (!ok(tie_parse_reputations(&reputations, last.message.payload,
			&fault) == 0,
		    "its answer is understood"))
		return;
	ok(reputations.count == 2 && tie_is_known(&reputations),
		"two providers, one of which knows it");
	const struct tie_reputation *gti = tie_reputation_of(&reputations, 1);
	const struct tie_reputation
		*enterprise = tie_reputation_of(&reputations, 3);
	ok(gti != NULL && gti->trust == 99 && gti->created == 1451502875,
		"GTI trusts it");
	details_are(gti, "");
	ok(enterprise != NULL && enterprise->trust == 0, "the other does not");
	details_are(enterprise,
		"first contact 2015-12-30T19:14:35.000Z, prevalence 17, "
		"enterprise size 21, file names 0, server 1.1.0.265");
	ok(tie_reputation_of(&reputations, 5) == NULL, "ATD is not there");
	tie_reputations_free(&reputations);

	load("tie-cert-reputation-01-response");
	if (!ok(tie_parse_reputations(&reputations, last.message.payload,
			&fault) == 0 &&
			    reputations.count == 2,
		    "that of a certificate too"))
		return;
	details_are(&reputations.items[0],
		"first contact 2016-02-08T06:23:39.000Z, prevalence 94, "
		"revoked no");
	tie_reputations_free(&reputations);

	load("tie-file-reputation-03-response");
	ok(last.message.type == DXL_ERROR &&
			tie_is_none((uint32_t)last.message.error_code,
				last.message.error_message),
		"that there is none is understood");
	ok(!tie_is_none(0, span_of("other")) &&
			!tie_is_none(1, span_of("Could not find reputation")),
		"another error is none of that");
}

static void
test_agents(void)
{
	struct tie_agents agents;
	struct fault fault = { 0 };

	load("tie-file-agents-01-response");
	if (!ok(tie_parse_agents(&agents, last.message.payload, &fault) == 0,
		    "systems are understood"))
		return;
	ok(agents.count == 3 && agents.total == 3, "all of them");
	is(agents.items[0].guid, "{3a6f574a-3e6f-436d-acd4-bcde336b054d}",
		"by their id");
	ok(agents.items[0].date == 1475873692, "and their time");
	tie_agents_free(&agents);

	load("tie-cert-agents-01-response");
	ok(tie_parse_agents(&agents, last.message.payload, &fault) == 0 &&
			agents.count == 2,
		"those of a certificate too");
	tie_agents_free(&agents);
	ok(tie_parse_agents(&agents,
		   span_of("{\"agents\":[],\"totalCount\":7}"), &fault) == 0 &&
			agents.total == 7,
		"there may be more than are named");
	tie_agents_free(&agents);
	ok(tie_parse_agents(&agents, span_of("{\"agents\":[]}"), &fault) == 0 &&
			agents.count == 0 && agents.total == 0,
		"or none");
	tie_agents_free(&agents);
}

static void
test_changes(void)
{
	struct tie_change change;
	struct tie_subject file = subject_of(false, MD5, NULL, NULL);
	struct tie_subject key = certificate();
	struct fault fault = { 0 };

	load("tie-file-set-01-event");
	if (!ok(tie_parse_change(&change, false, last.message.payload,
			&fault) == 0,
		    "a change is understood"))
		return;
	ok(change.subject.count == 3 && change.time == 1481219581 &&
			tie_subject_is(&change.subject, &file) &&
			!tie_subject_is(&change.subject, &key),
		"of what, and when");
	ok(change.before.count == 2 && change.after.count == 2,
		"a provider that is named twice is one");
	ok(tie_reputation_of(&change.before, 3)->trust == 0 &&
			tie_reputation_of(&change.after, 3)->trust == 99,
		"before and after");
	ok(tie_reputation_of(&change.after, 3)->created == 1481219581,
		"the later counts");
	tie_change_free(&change);

	load("tie-cert-set-01-event");
	ok(tie_parse_change(&change, true, last.message.payload, &fault) == 0 &&
			change.subject.has_public_key &&
			tie_subject_is(&change.subject, &key),
		"that of a certificate too");
	tie_change_free(&change);

	load("tie-file-set-01-response");
	ok(last.message.type == DXL_RESPONSE && last.message.payload.len == 0,
		"what is set is answered with nothing");
}

static void
refused(const char *payload, const char *name)
{
	struct tie_reputations reputations;
	struct fault fault = { 0 };
	int rc = tie_parse_reputations(&reputations, span_of(payload), &fault);

	ok(rc == -1 && fault.kind == FAULT_PROTOCOL, "%s is refused", name);
	if (rc == 0)
		tie_reputations_free(&reputations);
}

static bool
is_set(struct span answer)
{
	struct fault fault = { 0 };
	int rc = tie_parse_set(answer, &fault);

	if (rc == -1 && fault.kind != FAULT_PROTOCOL)
		printf("# of another kind: %s\n", fault.text);
	return rc == 0;
}

static void
test_set(void)
{
	struct fault fault = { 0 };

	ok(is_set(last.message.payload), "what the Python client gets");
	ok(is_set((struct span){ "\n\0\0", 3 }) && is_set(span_of("{ }\n")),
		"what says nothing in other ways");
	ok(!is_set(span_of("{\"error\":\"no\"}")) && !is_set(span_of("[]")) &&
			!is_set(span_of("{")) && !is_set(span_of("\xff\xfe")) &&
			!is_set(span_of("null")) &&
			!is_set((struct span){ "\0x", 2 }),
		"nothing else confirms it");
	tie_parse_set(span_of("{\"error\":\"no\"}"), &fault);
	is(fault.text,
		"the TIE server does not confirm it, but says: "
		"{\"error\":\"no\"}",
		"and is told");
}

static void
change_refused(const char *payload, const char *name)
{
	struct tie_change change;
	struct fault fault = { 0 };
	int rc = tie_parse_change(&change, false, span_of(payload), &fault);

	ok(rc == -1 && fault.kind == FAULT_PROTOCOL, "%s is refused", name);
	if (rc == 0)
		tie_change_free(&change);
}

#define ONE(rest) "{\"reputations\":[{\"providerId\":1" rest "}]}"

static void
test_hostile(void)
{
	struct tie_reputations reputations;
	struct tie_agents agents;
	struct fault fault = { 0 };

	refused("", "nothing");
	refused("{", "half an object");
	refused("[]", "a list");
	refused("\"x\"", "a text");
	refused("{}x", "more than an object");
	refused("{\"reputations\":{}}", "an object for a list");
	refused("{\"reputations\":7}", "a number for a list");
	refused("{\"reputations\":[7]}", "a number for a reputation");
	refused("{\"reputations\":[{}]}", "an empty reputation");
	refused(ONE(""), "one without a level");
	refused(ONE(",\"trustLevel\":\"99\""), "a level that is a text");
	refused(ONE(",\"trustLevel\":99.5"), "a level with a fraction");
	refused(ONE(",\"trustLevel\":-1"), "a negative level");
	refused(ONE(",\"trustLevel\":101"), "a level above all");
	refused("{\"reputations\":[{\"trustLevel\":1}]}",
		"one without provider");
	refused("{\"reputations\":[{\"providerId\":-1,\"trustLevel\":1}]}",
		"a negative provider");
	refused("{\"reputations\":[{\"providerId\":99999999999,"
		"\"trustLevel\":1}]}",
		"a provider out of bounds");

	struct text many = { 0 };
	text_append_string(&many, "{\"reputations\":[");
	for (int i = 0; i <= TIE_REPUTATIONS_MAX; i++)
		text_appendf(&many, "%s{\"providerId\":%d,\"trustLevel\":1}",
			i > 0 ? "," : "", i);
	text_append_string(&many, "]}");
	refused(many.bytes, "one provider too many");
	text_clear(&many);
	text_append_string(&many,
		"{\"reputations\":[{\"providerId\":1,"
		"\"trustLevel\":1,\"attributes\":{");
	for (int i = 0; i <= TIE_ATTRIBUTES_MAX; i++)
		text_appendf(&many, "%s\"%d\":\"\"", i > 0 ? "," : "", i + 1);
	text_append_string(&many, "}}]}");
	refused(many.bytes, "one attribute too many");
	text_clear(&many);
	for (int i = 0; i < 100000; i++)
		text_append_char(&many, '[');
	refused(many.bytes, "a hundred thousand lists");
	text_free(&many);

	static const char odd[] = ONE(
		",\"trustLevel\":1,\"createDate\":-5,\"attributes\":{"
		"\"x\":\"1\",\"007\":\"1\",\"-1\":\"1\",\"\":\"1\","
		"\"99999999999999999999\":\"1\",\"2101652\":17,"
		"\"2111893\":null,\"2102165\":\"soon\",\"5\":[],"
		"\"2138264\":\"AQ==\",\"4195730\":\"9\"}");
	ok(tie_parse_reputations(&reputations,
		   (struct span){ odd, sizeof(odd) }, &fault) == 0 &&
			reputations.count == 1 &&
			reputations.items[0].created == -1,
		"odd attributes, and a NUL at the end, are taken");
	ok(reputations.items[0].count == 4, "those that are none are left out");
	details_are(&reputations.items[0], "prevalence 17");
	tie_reputations_free(&reputations);
	ok(tie_parse_reputations(&reputations, span_of("{\"reputations\":[]}"),
		   &fault) == 0 &&
			reputations.count == 0 && !tie_is_known(&reputations),
		"no reputation is none");
	tie_reputations_free(&reputations);
	ok(tie_parse_reputations(&reputations, span_of("{}"), &fault) < 0,
		"an answer without a list is no answer");
	tie_reputations_free(&reputations);
	ok(tie_parse_reputations(&reputations,
		   span_of("{\"reputations\":[{\"providerId\":3,"
			   "\"trustLevel\":0},{\"providerId\":1,"
			   "\"trustLevel\":50}]}"),
		   &fault) == 0 &&
			!tie_is_known(&reputations) &&
			reputations.items[0].provider == 1,
		"nor are one that is not set and one that is unknown");
	tie_reputations_free(&reputations);

	ok(tie_parse_agents(&agents, span_of("{\"agents\":[{}]}"), &fault) ==
			-1,
		"a system without id is refused");
	ok(tie_parse_agents(&agents, span_of("{\"agents\":7}"), &fault) == -1,
		"systems that are a number are refused");

	change_refused("{}", "a change of nothing");
	change_refused("{\"hashes\":7}", "a number for hashes");
	change_refused("{\"hashes\":[]}", "no hash");
	change_refused("{\"hashes\":[{\"type\":\"md4\",\"value\":\"\"}]}",
		"a hash of a kind that nobody knows");
	change_refused("{\"hashes\":[{\"type\":\"md5\",\"value\":\"\"}]}",
		"an empty hash");
	change_refused("{\"hashes\":[{\"type\":\"md5\","
		       "\"value\":\"8se7isyX+S6Yei1Ah9AhsR==\"}]}",
		"a hash with bits too many");
	change_refused("{\"hashes\":[{\"type\":\"sha1\","
		       "\"value\":\"8se7isyX+S6Yei1Ah9AhsQ==\"}]}",
		"a hash of another kind");
}

static void
test_digests(void)
{
	struct digest digest;
	struct digest made[DIGEST_KINDS];
	struct text hex = { 0 };

	ok(digest_from_hex(&digest,
		   span_of("F2C7BB8ACC97f92e987a2d4087d021b1")) == 0 &&
			digest.kind == DIGEST_MD5,
		"hex in any case");
	digest_append_hex(&digest, &hex);
	is(hex.bytes, MD5, "is written in lower case");
	ok(digest_from_hex(&digest, span_of(SHA1)) == 0 &&
			digest.kind == DIGEST_SHA1 &&
			digest_from_hex(&digest, span_of(SHA256)) == 0 &&
			digest.kind == DIGEST_SHA256,
		"its length tells the kind");
	ok(digest_from_hex(&digest, span_of("")) == -1 &&
			digest_from_hex(&digest,
				span_of("f2c7bb8acc97f92e987a2d4087d021b")) ==
				-1 &&
			digest_from_hex(&digest,
				span_of("f2c7bb8acc97f92e987a2d4087d021bg")) ==
				-1 &&
			digest_from_hex(&digest,
				(struct span){ "\0"
					       "2c7bb8acc97f92e987a2d4087d021b"
					       "1",
					32 }) == -1,
		"what is none is refused");

	struct digester *digester = digester_new();
	digester_add(digester, span_of("a"));
	digester_add(digester, span_of("bc"));
	size_t count = digester_end(digester, made);
	text_clear(&hex);
	ok(count >= 2 && made[count - 1].kind == DIGEST_SHA256,
		"digests are made");
	digest_append_hex(&made[count - 1], &hex);
	is(hex.bytes,
		"ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad",
		"as elsewhere");
	digester_free(digester);
	text_free(&hex);
}

static void
level_is(const char *word, int64_t want)
{
	int64_t trust = -1;
	int rc = tie_trust_parse(word, &trust);

	ok(want < 0 ? rc == -1 : rc == 0 && trust == want, "level \"%s\"",
		word);
}

static void
test_words(void)
{
	static const int64_t levels[] = { 100, 99, 85, 70, 50, 30, 15, 1, 0 };
	struct tie_value value;
	struct text text = { 0 };

	is(tie_trust_word(98), "Most Likely Trusted", "the first that fits");
	is(tie_trust_word(2), "Known Malicious", "the last but one");
	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		level_is(tie_trust_word(levels[i]), levels[i]);
	level_is("known-malicious", 1);
	level_is("KNOWN_trusted installer", 100);
	level_is("99", 99);
	level_is("98", -1);
	level_is("known", -1);
	level_is("Known Trusted ", -1);
	level_is("", -1);
	level_is("099", -1);
	tie_append_provider(15, &text);
	tie_append_provider(99, &text);
	is(text.bytes, "Externalprovider 99", "providers");
	ok(tie_provider_key(99) == NULL, "not all of them are known");
	is(tie_score_word(-1), "Known Trusted", "a score of ATD");
	is(tie_score_word(5), "Known Malicious", "another");
	is(tie_score_word(6), NULL, "none");
	ok(tie_value_parse(TIE_FAMILY, "AwBjAAEAMgAQJw==", &value) == 0 &&
			value.family.count == 3 && value.family.max == 99 &&
			value.family.min == 1 && value.family.last == 50 &&
			value.family.average > 99.99 &&
			value.family.average < 100.01,
		"a family");
	ok(tie_value_parse(TIE_VERSION, "18446744073709551615", &value) == 0 &&
			value.major == 255 && value.build == 0xffffffff,
		"a version");
	ok(tie_value_parse(TIE_VERSION, "18446744073709551616", &value) == -1 &&
			tie_value_parse(TIE_NUMBER, " 1", &value) == -1 &&
			tie_value_parse(TIE_NUMBER, "-1", &value) == -1 &&
			tie_value_parse(TIE_NUMBER, "", &value) == -1 &&
			tie_value_parse(TIE_FLAG, "2", &value) == -1,
		"what is none");
	text_free(&text);
}

static void
test_json(void)
{
	static const char odd[] = "{\"reputations\":[{\"providerId\":5,"
				  "\"trustLevel\":1,\"attributes\":{"
				  "\"4195730\":\"5\",\"4197784\":\"\xc3\xbc"
				  "\x7f\",\"7\":\"x\",\"2102165\":\"soon\"}},"
				  "{\"providerId\":9,\"trustLevel\":50}]}";
	struct tie_subject subject = subject_of(false, MD5, NULL, NULL);
	struct tie_reputations reputations;
	struct text line = { 0 };
	struct fault fault = { 0 };

	subject.name = "a\"b";
	ok(tie_parse_reputations(&reputations, span_of(odd), &fault) == 0,
		"a reputation");
	tie_json_reputations(&subject, &reputations, 0, &line);
	is(line.bytes,
		"{\"v\":1,\"type\":\"reputation\","
		"\"time\":\"1970-01-01T00:00:00.000Z\",\"subject\":\"file\","
		"\"hash\":\"" MD5 "\",\"hashes\":{\"md5\":\"" MD5 "\"},"
		"\"public_key\":null,\"name\":\"a\\\"b\",\"known\":true,"
		"\"reputations\":[{\"provider\":\"atd\",\"provider_id\":5,"
		"\"trust\":1,\"level\":\"Known Malicious\",\"created\":null,"
		"\"attributes\":{\"7\":\"x\",\"2102165\":\"soon\","
		"\"verdict\":5,\"behaviours\":\"\\u00FC\\u007f\"}},"
		"{\"provider\":null,\"provider_id\":9,\"trust\":50,"
		"\"level\":\"Unknown\",\"created\":null,\"attributes\":{}}]}\n",
		"as a JSON line");
	tie_reputations_free(&reputations);
	text_clear(&line);
	tie_json_reputations(&subject, NULL, 0, &line);
	ok(strstr(line.bytes, "\"known\":false,\"reputations\":[]}") != NULL,
		"without any");
	text_clear(&line);
	subject.name = "\xff\xc3\xbc";
	tie_json_reputations(&subject, NULL, 0, &line);
	ok(strstr(line.bytes, ",\"name\":\"\\\\xff\\u00FC\",") != NULL,
		"a name that is not UTF-8 is a name");
	text_free(&line);
}

int
main(void)
{
	test_requests();
	test_reputations();
	test_agents();
	test_changes();
	test_set();
	test_hostile();
	test_digests();
	test_words();
	test_json();
	dxl_message_free(&last.message);
	json_decref(last.json);
	text_free(&last.bytes);
	return done();
}
