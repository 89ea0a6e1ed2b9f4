/* SPDX-License-Identifier: Apache-2.0 */
/* What Tab offers in qchat-join; words, and indicators in texts. */
#include "join/complete.h"
#include "join/indicator.h"
#include "join/word.h"
#include "tap.h"

#include "memory.h"

#include <stdlib.h>

#define MD5    "0123456789abcdef0123456789ABCDEF"
#define SHA1   MD5 "89abcdef"
#define SHA256 MD5 MD5

static void
test_word(void)
{
	struct span text = span_of("a b\xc3\xa9"
				   "c_1.\xe6\x97\xa5\xe6\x9c\xac\xff");

	ok(word_boundary(text, 0) && word_boundary(text, text.len),
		"a text's ends are boundaries");
	ok(word_boundary(text, 1) && word_boundary(text, 2), "so is a blank");
	ok(!word_boundary(text, 3) && !word_boundary(text, 5),
		"a letter beyond ASCII is none");
	ok(!word_boundary(text, 6) && !word_boundary(text, 7),
		"nor are _ and a digit");
	ok(word_boundary(text, 8), "a stop is one");
	ok(word_boundary(text, 12) && word_boundary(text, 15),
		"in Han there are no others");
	ok(!word_joins(0x2014) && !word_joins(0xd7) && !word_joins(0x1f600) &&
			!word_joins(0xa0),
		"dashes, emoji and blanks of all kinds join nothing");
	ok(word_joins(0x44f) && word_joins(0x5d0) && word_joins(0x301) &&
			word_joins(0x200d) && word_joins(0xff21),
		"letters of other scripts and marks do");
	ok(!word_joins(0x10ffff) && !word_joins(0x110000),
		"what is no character does not");
	ok(word_same(span_of("Al\xc3\x89"), span_of("aL\xc3\x89")) &&
			!word_same(span_of("Al\xc3\x89"),
				span_of("al\xc3\xa9")),
		"the case of ASCII letters does not matter");
	ok(!word_same(span_of("a["), span_of("a{")) &&
			!word_same(span_of("ab"), span_of("a")),
		"all else does");
}

static void
finds(const char *text, const char *want)
{
	struct span rest = span_of(text), found;
	struct text got = { 0 };

	text_append_string(&got, "");
	while (indicator_next(&rest, &found)) {
		text_append(&got, found.bytes, found.len);
		text_append_char(&got, ' ');
	}
	if (got.len > 0)
		got.bytes[--got.len] = '\0';
	is(got.bytes, want, text);
	text_free(&got);
}

static void
test_hashes(void)
{
	finds("md5:" MD5 ", sha1=" SHA1 " (" SHA256 ").",
		MD5 " " SHA1 " " SHA256);
	finds(MD5 "0 x" MD5 " " MD5 "g", "");
	finds("see CVE-2024-12345, cve-2021-44228: bad",
		"CVE-2024-12345 cve-2021-44228");
	finds("CVE-2024-123 XCVE-2024-12345 CVE-2024-12345678 CVE-2024-1234x",
		"");
}

static void
test_addresses(void)
{
	finds("from 192.0.2.1:443 to 198.51.100.0/24.",
		"192.0.2.1 198.51.100.0");
	finds("1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.4x v1.2.3", "");
	finds("192[.]0[.]2[.]1, 192.0.2(.)7 and 192[dot]0.2{.}8",
		"192[.]0[.]2[.]1 192.0.2(.)7 192[dot]0.2{.}8");
	finds("[2001:db8::1]:443, ::1 fe80::1%eth0. 2001:db8::2: up",
		"2001:db8::1 ::1 fe80::1 2001:db8::2");
	finds("2001[:]db8[:][:]1 ::ffff:192.0.2.1",
		"2001[:]db8[:][:]1 ::ffff:192.0.2.1");
	finds("12:34:56 std::vector a::z :: 00:11:22:33:44:55", "");
	finds("MD5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "");
	finds("1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:8:9 12:34:evil.example",
		"1:2:3:4:5:6:7:8 evil.example");
}

static void
test_domains(void)
{
	finds("evil.example. or Evil-2.Example.COM, not example nor e.g. 1.5",
		"evil.example Evil-2.Example.COM");
	finds("evil[.]example\n_dmarc.example.org\txn--bcher-kva.xn--p1ai",
		"evil[.]example _dmarc.example.org xn--bcher-kva.xn--p1ai");
	finds("-a.example a-.example a..example a.b3 .example. **b.example**",
		"a.example b.example");
	finds("host:db7.example:8443", "db7.example");
	finds("b\xc3\xbc"
	      "cher.example \xe2\x80\x9cq.example\xe2\x80\x9d "
	      "\xe7\x9c\x8bhan.example\xe5\x90\xa7",
		"q.example han.example");
	finds("mail eve@mail.example, <bob.x+y@b.example> or @c.example "
	      "\xc3\xa9ve@b.example",
		"eve@mail.example bob.x+y@b.example c.example");
	finds("eve[@]mail[.]example eve(at)mail[dot]example a@b@c.example",
		"eve[@]mail[.]example eve(at)mail[dot]example");
	finds("[.] [:] [:[ [. (at) [ : :: [:]// // .", "");
	finds("", "");
}

static void
test_urls(void)
{
	finds("(see https://evil.example/a_(b)?c=[d]&e=f).",
		"https://evil.example/a_(b)?c=[d]&e=f evil.example");
	finds("hxxps[:]//evil[.]example/x, hxxp://1.2.3[.]4",
		"hxxps[:]//evil[.]example/x evil[.]example hxxp://1.2.3[.]4 "
		"1.2.3[.]4");
	finds("<http://localhost:8080/> \"ftp://h/" MD5 "\"",
		"http://localhost:8080/ ftp://h/" MD5 " " MD5);
	finds("[https://a.example](https://b.example)",
		"https://a.example a.example https://b.example b.example");
	finds("url:http://a.example\xe3\x80\x82", "http://a.example a.example");
	finds("http:// c://x http:///etc 9x://y", "");
}

/* A text that is long, and what it may cost at most: no time is measured, but
 * the test would take minutes. */
static void
test_long(void)
{
	static const char *const parts[] = { "a", ":", "a:", "aa://a", "aa://",
		"((((", "[:]", "[.", "a.", "1.2.3.4 ", "]", "::" };
	struct text text = { 0 };
	struct span rest, found;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		text_clear(&text);
		while (text.len < 200000)
			text_append_string(&text, parts[i]);
		rest = (struct span){ text.bytes, text.len };
		while (indicator_next(&rest, &found))
			if (found.len > INDICATOR_MAX)
				break;
		ok(rest.len == 0, "much of \"%s\"", parts[i]);
	}
	text_clear(&text);
	text_append_string(&text, "http://");
	while (text.len <= INDICATOR_MAX)
		text_append_char(&text, 'a');
	rest = (struct span){ text.bytes, text.len };
	ok(!indicator_next(&rest, &found), "a URL that is too long is none");
	rest = (struct span){ text.bytes, INDICATOR_MAX };
	ok(indicator_next(&rest, &found) && found.len == INDICATOR_MAX,
		"the longest is one");
	text_free(&text);
}

/* Whatever the bytes: each one found lies in the text, and it ends. */
static void
test_noise(void)
{
	static const char letters[] = "ab1.:@[]()/-x%\xc3\xa9 ";
	uint32_t state = 1;
	bool good = true;
	char text[64];

	for (int round = 0; round < 200000; round++) {
		for (size_t i = 0; i < sizeof(text); i++) {
			state = state * 1664525U + 1013904223U;
			text[i] = letters[(state >> 16) %
				(sizeof(letters) - 1)];
		}
		struct span rest = { text, sizeof(text) }, found;
		const char *last = text;
		while (indicator_next(&rest, &found)) {
			good = good && found.bytes >= last &&
				found.bytes + found.len <= text + sizeof(text);
			last = found.bytes;
		}
		good = good && rest.len == 0;
	}
	ok(good, "noise");
}

/* The line has a | where the cursor is. */
static void
offers(const struct complete *complete, const char *line, const char *want)
{
	const char *bar = strchr(line, '|');
	size_t cursor = (size_t)(bar - line), from;
	struct text whole = { 0 }, got = { 0 }, candidate = { 0 };

	text_append(&whole, line, cursor);
	text_append_string(&whole, bar + 1);
	text_append_string(&got, "");
	for (size_t n = 0;
		complete_at(complete, (struct span){ whole.bytes, whole.len },
			cursor, n, &from, &candidate);
		n++)
		text_appendf(&got, "%s%zu<%s>", n > 0 ? " " : "", from,
			candidate.bytes);
	is(got.bytes, want, line);
	text_free(&whole);
	text_free(&got);
	text_free(&candidate);
}

static void
note(struct complete *complete, enum complete_kind kind, const char *word)
{
	complete_note(complete, kind, span_of(word));
}

static void
test_text(void)
{
	struct complete *complete = complete_new();

	offers(complete, "|", "");
	note(complete, COMPLETE_NAME, "bob");
	note(complete, COMPLETE_NAME, "Alice");
	note(complete, COMPLETE_NAME, "al ice\x1b");
	note(complete, COMPLETE_ROOM, "alpha");
	complete_read(complete,
		span_of("alert.example, 192.0.2.1 and alert.example"));
	offers(complete, "|", "0<al_ice\\x1b: > 0<Alice: > 0<bob: >");
	offers(complete, "al|", "0<al_ice\\x1b: > 0<Alice: > 0<alert.example>");
	offers(complete, "ask AL| now",
		"4<al_ice\\x1b> 4<Alice> "
		"4<alert.example>");
	offers(complete, "ask AL|\nnow",
		"4<al_ice\\x1b > 4<Alice > "
		"4<alert.example>");
	offers(complete, "is\nb|", "3<bob >");
	offers(complete, "x |", "");
	offers(complete, " |", "");
	offers(complete, "|\\q", "");
	offers(complete, "|al", "0<al_ice\\x1b: > 0<Alice: > 0<bob: >");
	offers(complete, "1|", "0<192.0.2.1>");
	offers(complete, "zz|", "");
	offers(complete, "\\\\al|", "");
	offers(complete, "\\\\ al|",
		"3<al_ice\\x1b > 3<Alice > 3<alert.example>");
	note(complete, COMPLETE_NAME, "Alice");
	offers(complete, "al|", "0<Alice: > 0<al_ice\\x1b: > 0<alert.example>");
	complete_forget(complete, COMPLETE_NAME, span_of("al ice\x1b"));
	complete_forget(complete, COMPLETE_NAME, span_of("nobody"));
	complete_forget(complete, COMPLETE_INDICATOR, span_of("alert.example"));
	offers(complete, "al|", "0<Alice: >");
	complete_free(complete);
	complete_free(NULL);
}

static void
test_commands(void)
{
	struct complete *complete = complete_new();

	note(complete, COMPLETE_NAME, "bob");
	note(complete, COMPLETE_NAME, "al ice");
	note(complete, COMPLETE_ROOM, "ops");
	note(complete, COMPLETE_ROOM, "incident 42");
	note(complete, COMPLETE_ROOM, "a\x1b");
	note(complete, COMPLETE_INDICATOR, "192.0.2.1");
	offers(complete, "\\p|", "1<p > 1<pin >");
	offers(complete, "/se|", "1<sev >");
	offers(complete, "\\|d bob",
		"1<c> 1<d > 1<h > 1<ignore > 1<j > 1<l > "
		"1<m > 1<me > 1<no> 1<p > 1<pin > 1<q> 1<r> 1<s > "
		"1<sev > 1<stop > 1<t > 1<time> 1<w > 1<yes>");
	offers(complete, "\\stop |", "");
	offers(complete, "\\d |", "3<al_ice > 3<bob >");
	offers(complete, "\\d  B|", "4<bob >");
	offers(complete, "\\d bob al|", "7<al_ice >");
	offers(complete, "\\d bob 1|", "7<192.0.2.1>");
	offers(complete, "\\d bob |", "");
	offers(complete, "/pin al|", "5<al_ice>");
	offers(complete, "\\ignore |", "8<al_ice> 8<bob>");
	offers(complete, "\\ignore bob |", "");
	offers(complete, "\\j |", "3<incident 42> 3<ops>");
	offers(complete, "\\l incident |", "3<incident 42>");
	offers(complete, "\\h p|", "3<p> 3<pin>");
	offers(complete, "\\h \\w|", "4<w>");
	offers(complete, "\\sev |",
		"5<info > 5<low > 5<medium > 5<high > "
		"5<critical >");
	offers(complete, "\\sev H|", "5<high >");
	offers(complete, "\\sev high b|", "10<bob >");
	offers(complete, "\\me asks b|", "9<bob >");
	offers(complete, "\\s b|", "3<bob >");
	offers(complete, "\\c b|", "");
	offers(complete, "\\w b|", "");
	offers(complete, "\\zz b|", "");
	complete_free(complete);
}

static void
test_bounds(void)
{
	struct complete *complete = complete_new();
	struct text text = { 0 };
	char name[32];

	for (int i = 0; i < 2 * COMPLETE_WORDS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		note(complete, COMPLETE_NAME, name);
	}
	note(complete, COMPLETE_NAME, "n500");
	offers(complete, "n49|", "");
	offers(complete, "n501|", "0<n501: >");
	offers(complete, "n500|", "0<n500: >");
	offers(complete, "n99|",
		"0<n999: > 0<n998: > 0<n997: > 0<n996: > "
		"0<n995: > 0<n994: > 0<n993: > 0<n992: > "
		"0<n991: > 0<n990: >");
	while (text.len <= COMPLETE_WORD_MAX)
		text_append_char(&text, 'z');
	complete_note(complete, COMPLETE_NAME,
		(struct span){ text.bytes, text.len });
	offers(complete, "z|", "");
	note(complete, COMPLETE_NAME, "");
	offers(complete, "_|", "0<_: >");
	note(complete, COMPLETE_ROOM, "");
	offers(complete, "\\j |", "");
	text_clear(&text);
	for (int i = 0; i < 2 * COMPLETE_READ_WORDS; i++)
		text_appendf(&text, "h%d.example ", i);
	complete_read(complete, (struct span){ text.bytes, text.len });
	offers(complete, "h31|", "0<h31.example>");
	offers(complete, "h32|", "");
	text_clear(&text);
	while (text.len < COMPLETE_READ_MAX - 9)
		text_append_char(&text, ' ');
	text_append_string(&text, "192.0.2.100 k.example");
	complete_read(complete, (struct span){ text.bytes, text.len });
	offers(complete, "1|", "");
	complete_read(complete, (struct span){ text.bytes, COMPLETE_READ_MAX });
	offers(complete, "1|", "0<192.0.2.1>");
	text_free(&text);
	complete_free(complete);
}

int
main(void)
{
	test_word();
	test_hashes();
	test_addresses();
	test_domains();
	test_urls();
	test_long();
	test_noise();
	test_text();
	test_commands();
	test_bounds();
	return done();
}
