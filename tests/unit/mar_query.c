/* SPDX-License-Identifier: Apache-2.0 */
/* Searches as people write them: to the JSON that the service takes, and what
 * is wrong with those that are wrong. */
#include "mar_query.h"

#include "memory.h"
#include "tap.h"

#include <jansson.h>
#include <stdlib.h>

static struct fault fault;

/* The same in content; the order of keys means nothing. */
static void
same_json(struct text *got, const char *want, const char *name)
{
	json_t *a = json_loadb(got->bytes, got->len, 0, NULL);
	json_t *b = json_loads(want, 0, NULL);
	bool same = a != NULL && b != NULL && json_equal(a, b);

	ok(same, "%s", name);
	if (!same)
		printf("#   got: %s\n#  want: %s\n", got->bytes, want);
	json_decref(a);
	json_decref(b);
}

/* want may be NULL: anything. */
static void
gives(const char *text, const char *want)
{
	struct mar_query query;
	struct text json = { 0 };
	struct mar_query_slip slip = { 99, true };

	int rc = mar_query_parse(&query, span_of(text), &slip, &fault);
	if (!ok(rc == 0 && slip.column == 0 && !slip.unquoted,
		    "%.200s: is read", text)) {
		printf("# %s\n", fault.text);
		return;
	}
	mar_query_format(&query, &json);
	if (want != NULL)
		same_json(&json, want, "and is that JSON");
	mar_query_free(&query);
	text_free(&json);
}

/* Wrong at that column, and the message has those words. */
static void
wrong(const char *text, size_t column, const char *words)
{
	struct mar_query query;
	struct mar_query_slip slip = { 0 };
	char *prefix = memory_format("column %zu: ", column);

	fault = (struct fault){ 0 };
	int rc = mar_query_parse(&query, span_of(text), &slip, &fault);
	bool good = rc < 0 && fault.kind == FAULT_USAGE &&
		slip.column == column &&
		strncmp(fault.text, prefix, strlen(prefix)) == 0 &&
		strstr(fault.text, words) != NULL;
	ok(good, "%.200s: wrong at column %zu", text, column);
	if (!good)
		printf("#   got: %zu, %s\n#  want: %s\n", slip.column,
			fault.text, words);
	if (rc == 0)
		mar_query_free(&query);
	free(prefix);
}

/* protocol.md, section 7 */
static void
test_documented(void)
{
	gives("Processes name, id where Processes name equals \"csrss\" and "
	      "Processes name contains \"exe\" or Processes size not greater "
	      "than 200",
		"{\"projections\":[{\"name\":\"Processes\",\"outputs\":"
		"[\"name\",\"id\"]}],\"condition\":{\"or\":[{\"and\":["
		"{\"name\":\"Processes\",\"output\":\"name\",\"op\":\"EQUALS\","
		"\"value\":\"csrss\"},{\"name\":\"Processes\",\"output\":"
		"\"name\",\"op\":\"CONTAINS\",\"value\":\"exe\"}]},{\"and\":["
		"{\"name\":\"Processes\",\"output\":\"size\",\"op\":"
		"\"GREATER_THAN\",\"value\":\"200\",\"negated\":\"true\"}]}]}"
		"}");
	gives("HostInfo hostname, ip_address and Files full_name where Files "
	      "md5 equals \"daac6ba6967893ddea06ed132b781529\"",
		"{\"projections\":[{\"name\":\"HostInfo\",\"outputs\":"
		"[\"hostname\",\"ip_address\"]},{\"name\":\"Files\","
		"\"outputs\":[\"full_name\"]}],\"condition\":{\"or\":[{\"and\":"
		"[{\"name\":\"Files\",\"output\":\"md5\",\"op\":\"EQUALS\","
		"\"value\":\"daac6ba6967893ddea06ed132b781529\"}]}]}}");
	/* The body of 7.3, but for its context. */
	gives("HostInfo hostname, ip_address and Files full_name where Files "
	      "md5 equals \"daac6ba6967893ddea06ed132b781529\" or Files sha1 "
	      "not equals \"da39a3ee5e6b4b0d3255bfef95601890afd80709\"",
		"{\"projections\":[{\"name\":\"HostInfo\",\"outputs\":"
		"[\"hostname\",\"ip_address\"]},{\"name\":\"Files\","
		"\"outputs\":[\"full_name\"]}],\"condition\":{\"or\":[{\"and\":"
		"[{\"name\":\"Files\",\"output\":\"md5\",\"op\":\"EQUALS\","
		"\"value\":\"daac6ba6967893ddea06ed132b781529\"}]},{\"and\":["
		"{\"name\":\"Files\",\"output\":\"sha1\",\"op\":\"EQUALS\","
		"\"value\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\","
		"\"negated\":\"true\"}]}]}}");
	gives("Processes where HostInfo ip_address equals \"192.168.1.1\"",
		"{\"projections\":[{\"name\":\"Processes\"}],\"condition\":{"
		"\"or\":[{\"and\":[{\"name\":\"HostInfo\",\"output\":"
		"\"ip_address\",\"op\":\"EQUALS\",\"value\":\"192.168.1.1\"}]}"
		"]}}");
	gives("HostInfo ip_address",
		"{\"projections\":[{\"name\":\"HostInfo\",\"outputs\":"
		"[\"ip_address\"]}]}");
}

/* One comparison of Files name. */
static void
compares(const char *condition, const char *op, const char *value,
	const char *more)
{
	char *query = memory_format("Files where Files name %s", condition);
	char *want = memory_format(
		"{\"projections\":[{\"name\":\"Files\"}],\"condition\":{\"or\":"
		"[{\"and\":[{\"name\":\"Files\",\"output\":\"name\",\"op\":"
		"\"%s\",\"value\":\"%s\"%s}]}]}}",
		op, value, more);

	gives(query, want);
	free(query);
	free(want);
}

static void
test_operators(void)
{
	static const char negated[] = ",\"negated\":\"true\"";

	compares("equals \"x\"", "EQUALS", "x", "");
	compares("contains \"x\"", "CONTAINS", "x", "");
	compares("starts with \"x\"", "STARTS_WITH", "x", "");
	compares("ends with \"x\"", "ENDS_WITH", "x", "");
	compares("greater than 1", "GREATER_THAN", "1", "");
	compares("greater equal than 1", "GREATER_EQUAL_THAN", "1", "");
	compares("less than 1", "LESS_THAN", "1", "");
	compares("less equal than 1", "LESS_EQUAL_THAN", "1", "");
	compares("before \"2020-01-01\"", "BEFORE", "2020-01-01", "");
	compares("after \"2020-01-01\"", "AFTER", "2020-01-01", "");
	compares("not equals \"x\"", "EQUALS", "x", negated);
	compares("not contains \"x\"", "CONTAINS", "x", negated);
	compares("NOT Less Equal THAN 1", "LESS_EQUAL_THAN", "1", negated);
}

static void
test_values(void)
{
	compares("equals \"C:\\Windows\\System32\\\"", "EQUALS",
		"C:\\\\Windows\\\\System32\\\\", "");
	compares("equals \"\"", "EQUALS", "", "");
	compares("equals \"a  b\"", "EQUALS", "a  b", "");
	compares("equals \"and where (x), 'y'\"", "EQUALS",
		"and where (x), 'y'", "");
	compares("equals \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", "EQUALS",
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "");
	compares("equals\"x\"", "EQUALS", "x", "");
	compares("equals 0", "EQUALS", "0", "");
	compares("greater than -5", "GREATER_THAN", "-5", "");
	compares("less than 007.50", "LESS_THAN", "007.50", "");
	compares("equals\n\"x\"\r\n", "EQUALS", "x", "");
}

static void
test_shape(void)
{
	gives("  a b\t,c\nAND d WHERE e f EQUALS 1 Or g h Equals 2 aNd i j "
	      "equals 3 ",
		"{\"projections\":[{\"name\":\"a\",\"outputs\":[\"b\",\"c\"]},"
		"{\"name\":\"d\"}],\"condition\":{\"or\":[{\"and\":[{\"name\":"
		"\"e\",\"output\":\"f\",\"op\":\"EQUALS\",\"value\":\"1\"}]},{"
		"\"and\":[{\"name\":\"g\",\"output\":\"h\",\"op\":\"EQUALS\","
		"\"value\":\"2\"},{\"name\":\"i\",\"output\":\"j\",\"op\":"
		"\"EQUALS\",\"value\":\"3\"}]}]}}");
	/* Words that are operators only behind an output. */
	gives("Files before, after and equals contains where starts ends "
	      "starts with \"x\"",
		NULL);
	gives("Files equals where Files equals equals 1",
		"{\"projections\":[{\"name\":\"Files\",\"outputs\":"
		"[\"equals\"]}],\"condition\":{\"or\":[{\"and\":[{\"name\":"
		"\"Files\",\"output\":\"equals\",\"op\":\"EQUALS\",\"value\":"
		"\"1\"}]}]}}");
	gives("_My.own-Collector out_1",
		"{\"projections\":[{\"name\":\"_My.own-Collector\","
		"\"outputs\":[\"out_1\"]}]}");
}

static void
test_wrong_projections(void)
{
	wrong("", 1, "a collector is due here, not the end");
	wrong("   ", 4, "a collector is due here, not the end");
	wrong("where Files name equals \"x\"", 1, "not \"where\"");
	wrong("12 name", 1, "begins with a letter");
	wrong("\"HostInfo\" hostname", 1, "not the value \"HostInfo\"");
	wrong(", HostInfo", 1, "not \",\"");
	wrong("HostInfo,", 9, "a comma stands between two outputs");
	wrong("HostInfo, Files", 9, "a comma stands between two outputs");
	wrong("HostInfo hostname,", 19, "an output is due here, not the end");
	wrong("HostInfo hostname,, os", 19, "an output is due here, not \",\"");
	wrong("HostInfo hostname os", 19, "a comma, \"and\", \"where\"");
	wrong("HostInfo hostname, Files full_name", 26,
		"outputs of another collector stand behind \"and\"");
	wrong("HostInfo hostname, and Files name", 20, "an output is due");
	wrong("HostInfo hostname and", 22, "a collector is due");
	wrong("HostInfo and and Files", 14, "a collector is due");
	wrong("HostInfo hostname or Files name", 19, "joined by \"and\"");
	wrong("HostInfo|hostname", 9, "a blank stands between");
	wrong("HostInfo host:name", 10, "letters, digits");
	wrong("HostInfo hostname where", 24, "a collector is due");
	wrong("HostInfo (hostname, os)", 10, "no parentheses");
	wrong("HostInfo hostname not equals 1", 19, "behind \"where\"");
	wrong("HostInfo hostname \"x\"", 19, "behind \"where\"");
	wrong("HostInfo hostname;", 18, "not \";\"");
	wrong("HostInfo hostname && Files", 19, "that is \"and\"");
	wrong("HostInfo h\xc3\xb6st", 10, "letters, digits");
}

static void
test_wrong_comparisons(void)
{
	wrong("Files where Files", 18, "an output is due here, not the end");
	wrong("Files where Files name", 23, "an operator (equals, ");
	wrong("Files where Files name \"x\"", 24, "an operator (equals, ");
	wrong("Files where Files name eqals \"x\"", 24, "not \"eqals\"");
	wrong("Files where Files name equal \"x\"", 24, "\"equals\"");
	wrong("Files where Files name = \"x\"", 24, "\"equals\"");
	wrong("Files where Files size>=5", 23, "\"greater equal than\"");
	wrong("Files where Files name like \"x\"", 24, "\"contains\"");
	wrong("Files where Files time between 1 and 2", 24, "\"after");
	wrong("Files where Files not equals \"x\"", 19, "an output is due");
	wrong("Files where Files name not not equals 1", 28, "an operator");
	wrong("Files where Files name starts \"x\"", 31, "\"with\" is due");
	wrong("Files where Files name ends witt \"x\"", 29, "\"with\" is due");
	wrong("Files where Files size greater 5", 32,
		"\"than\" or \"equal than\" is due here, not \"5\"");
	wrong("Files where Files size less or equal 5", 29, "\"than\" or");
	wrong("Files where Files size less equal 5", 35, "\"than\" is due");
	wrong("Files where Files size less than", 33, "a value is due");
	wrong("Files where Files size less than than", 34, "a value is due");
	wrong("Files where Files name equals cmd.exe", 31,
		"stands in double quotes");
	wrong("Files where Files name equals 'cmd.exe'", 31,
		"straight double quotes");
	wrong("Files where Files name equals \xe2\x80\x9c"
	      "cmd\xe2\x80\x9d",
		31, "straight double quotes");
	wrong("Files where Files time after 2020-01-01", 30,
		"stands in double quotes");
	wrong("Files where Files size equals 12k", 31, "double quotes");
	wrong("Files where Files size equals 1.", 31, "double quotes");
	wrong("Files where Files size equals -", 31, "double quotes");
	wrong("Files where Files name equals \"cmd.exe", 31,
		"not closed by another one");
	wrong("Files where Files name equals \"a\" \"", 35, "not closed");
	wrong("Files where Files name equals \"C:\\\"x\"\"", 36,
		"a backslash is a backslash");
	wrong("Files where created_at after \"2020-01-01\"", 13,
		"as in Files created_at");
	wrong("Files where name contains \"x\"", 13, "a collector is due");
	wrong("Files where size greater 5", 13, "a collector is due");
	wrong("Files where (Files name equals \"x\")", 13, "no parentheses");
	wrong("Files where Files name equals \"x\")", 34, "no parentheses");
	wrong("Files where Files name equals \"x\" Files", 35,
		"\"and\", \"or\" or the end is due");
	wrong("Files where Files name equals \"x\", Files", 34,
		"joined by \"and\" and \"or\"");
	wrong("Files where Files name equals \"x\" where Files", 35,
		"\"where\" stands once");
	wrong("Files where Files name equals \"x\" || Files", 35, "\"or\"");
	wrong("Files where Files name equals \"x\" and", 38, "a collector");
	wrong("Files where Files name equals \"x\" or or", 38, "not \"or\"");
	wrong("Files where or Files name equals 1", 13, "a collector is due");
	wrong("Files where Files name equals \"x\" and not Files name equals 1",
		39, "not \"not\"");
	/* In characters, and over lines. */
	wrong("Files where Files name equals \"\xc3\xa4\xe2\x82\xac"
	      "\xf0\x9f\x98\x80\" x",
		37, "not \"x\"");
	wrong("Files\nwhere\nFiles name is 1", 24, "not \"is\"");
	wrong("Files na\xffme", 9, "not UTF-8");
	wrong("Files where Files name equals \"a\x1b[2J\"", 33, "0x1b");
}

/* Is it known that a value should be in double quotes, whatever the message
 * says? */
static void
test_unquoted(void)
{
	static const struct {
		const char *text;
		bool unquoted;
	} cases[] = {
		{ "Files where Files name equals cmd.exe", true },
		{ "Files where Files name equals 'cmd.exe'", true },
		{ "Files where Files name equals", true },
		{ "Files where Files name equals and", true },
		{ "Files where Files name eqals cmd.exe", false },
		{ "Files where Files name equals 1 2", false },
		{ "Files where", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mar_query_slip slip = { 0 };
		struct mar_query query;

		ok(mar_query_parse(&query, span_of(cases[i].text), &slip,
			   &fault) < 0 &&
				slip.unquoted == cases[i].unquoted,
			"%s: %s", cases[i].text,
			cases[i].unquoted ? "a value without quotes"
					  : "not for its quotes");
	}
}

/* So many times this. */
static char *
repeated(const char *first, const char *more, size_t times)
{
	struct text text = { 0 };

	text_append_string(&text, first);
	for (size_t i = 0; i < times; i++)
		text_append_string(&text, more);
	return text.bytes;
}

static void
test_limits(void)
{
	struct mar_query query;
	char *text = repeated("a", "b", MAR_NAME_MAX);

	wrong(text, 1, "128 characters at most");
	text[MAR_NAME_MAX] = '\0';
	gives(text, NULL);
	free(text);
	text = repeated("a b", ",c", MAR_OUTPUTS_MAX);
	wrong(text, 2 + 2 * MAR_OUTPUTS_MAX + 1, "more than 64 outputs");
	free(text);
	text = repeated("a", " and b", MAR_PROJECTIONS_MAX);
	wrong(text, 1 + 6 * MAR_PROJECTIONS_MAX, "more than 32 collectors");
	free(text);
	text = repeated("a where a b equals 1", " or a b equals 1",
		MAR_COMPARISONS_MAX);
	wrong(text, 20 + 16 * MAR_COMPARISONS_MAX - 11, "more than 256");
	free(text);
	text = repeated("a", " ", MAR_QUERY_MAX);
	ok(mar_query_parse(&query, span_of(text), NULL, &fault) < 0 &&
			fault.kind == FAULT_USAGE,
		"a query that is too long: %s", fault.text);
	free(text);
	ok(mar_query_parse(&query, (struct span){ "a\0b", 3 }, NULL, &fault) <
			0,
		"a NUL: %s", fault.text);
	wrong("Files where Files name equals "
	      "x12345678901234567890123456789012345678901234567890123456789\xc3"
	      "\xa4zzz",
		31, "56789...\"");
}

static void
hash_is_refused(const char *hash, const char *name)
{
	struct mar_query query;

	ok(mar_query_of_hash(&query, span_of(hash), &fault) < 0 &&
			fault.kind == FAULT_USAGE,
		"%s is no hash: %s", name, fault.text);
}

static void
test_hash(void)
{
	struct mar_query query;
	struct text json = { 0 };
	static const char want[] =
		"{\"projections\":[{\"name\":\"HostInfo\",\"outputs\":"
		"[\"hostname\",\"ip_address\"]},{\"name\":\"Files\","
		"\"outputs\":[\"full_name\"]}],\"condition\":{\"or\":[{\"and\":"
		"[{\"name\":\"Files\",\"output\":\"md5\",\"op\":\"EQUALS\","
		"\"value\":\"daac6ba6967893ddea06ed132b781529\"}]},{\"and\":[{"
		"\"name\":\"Files\",\"output\":\"sha1\",\"op\":\"EQUALS\","
		"\"value\":\"daac6ba6967893ddea06ed132b781529\"}]}]}}";

	ok(mar_query_of_hash(&query,
		   span_of("daac6ba6967893ddea06ed132b781529"), &fault) == 0,
		"an MD5");
	mar_query_format(&query, &json);
	same_json(&json, want, "asks as the original does");
	mar_query_free(&query);
	text_free(&json);
	ok(mar_query_of_hash(&query,
		   span_of("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
		   &fault) == 0,
		"a SHA-1");
	mar_query_free(&query);
	hash_is_refused("", "nothing");
	hash_is_refused("daac6ba6967893ddea06ed132b78152", "one digit less");
	hash_is_refused("daac6ba6967893ddea06ed132b78152g", "a g");
	hash_is_refused("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca49599"
			"1b7852b855",
		"a SHA-256");
	hash_is_refused("\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
			"\"\"\"\"\"",
		"32 quotes");
}

int
main(void)
{
	test_documented();
	test_operators();
	test_values();
	test_shape();
	test_wrong_projections();
	test_wrong_comparisons();
	test_unquoted();
	test_limits();
	test_hash();
	return done();
}
