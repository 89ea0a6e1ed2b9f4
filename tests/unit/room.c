/* SPDX-License-Identifier: Apache-2.0 */
#include "room.h"

#include "tap.h"

#include <stdlib.h>

static struct room_message message;
static struct fault fault;

static int
parse(const char *payload)
{
	return room_parse(&message, span_of(payload), &fault);
}

static void
time_is(const char *payload, int64_t want, const char *name)
{
	int rc = parse(payload);

	ok(rc == 0 && message.time == want, "%s", name);
	if (rc == 0)
		room_message_free(&message);
}

static void
refused(const char *payload, const char *name)
{
	int rc = parse(payload);

	ok(rc < 0 && fault.kind == FAULT_DATA, "%s is refused", name);
	if (rc == 0)
		room_message_free(&message);
}

static void
test_time(void)
{
	time_is("{\"type\":1,\"message\":\"\",\"time\":\"1506625783\"}",
		1506625783, "time as a string");
	time_is("{\"type\":1,\"message\":\"\",\"time\":\" +1506625783 \"}",
		1506625783, "time as a string that int() takes");
	time_is("{\"type\":1,\"message\":\"\",\"time\":1506625783}", 1506625783,
		"time as an integer");
	time_is("{\"type\":1,\"message\":\"\",\"time\":1492703939.12}",
		1492703939, "time as a float");
	time_is("{\"type\":1,\"message\":\"\"}", -1, "no time");
	time_is("{\"type\":1,\"message\":\"\",\"time\":\"soon\"}", -1,
		"time as words");
	time_is("{\"type\":1,\"message\":\"\",\"time\":1e300}", -1,
		"time beyond all time");
	time_is("{\"type\":1,\"message\":\"\",\"time\":[]}", -1,
		"time as a list");
}

static void
test_refused(void)
{
	refused("", "nothing");
	refused("hello", "no JSON");
	refused("[1]", "a list");
	refused("\"type\"", "a string");
	refused("{}", "no type");
	refused("{\"type\":[]}", "a type that is a list");
	refused("{\"type\":1}", "a message without text");
	refused("{\"type\":1,\"message\":7}", "a text that is a number");
	refused("{\"type\":2}", "a ping without UID");
	refused("{\"type\":4,\"UID\":5}", "a UID that is a number");
	refused("{\"type\":1,\"message\":\"\xff\"}", "no UTF-8");
	refused("{\"type\":1,\"message\":\"a\\nb\",\"seq\":1,\"n\":3}",
		"a block with a wrong n");
	refused("{\"type\":1,\"message\":\"a\",\"seq\":1,\"n\":1}",
		"a block of one");
	refused("{\"type\":1,\"message\":\"a\\nb\",\"n\":2}",
		"a block without number");
	refused("{\"type\":1,\"message\":\"a\\nb\",\"seq\":9007199254740991,"
		"\"n\":2}",
		"a block beyond the last number");
}

static void
test_tolerated(void)
{
	char nul[] = "{\"type\":\"1\",\"message\":\"hi\"}\n\0\0";

	int rc = room_parse(&message, (struct span){ nul, sizeof(nul) - 1 },
		&fault);
	ok(rc == 0 && message.type == 1 && message.text.len == 2,
		"type as a string; line feed and NULs behind the object");
	if (rc == 0)
		room_message_free(&message);

	rc = parse("{\"type\":1,\"message\":\"a\\u0000b\"}");
	ok(rc == 0 && message.text.len == 3, "a NUL in a text is kept");
	if (rc == 0)
		room_message_free(&message);

	rc = parse("{\"type\":99,\"message\":1}");
	ok(rc == 0 && message.type == 99, "an unknown type is only a type");
	if (rc == 0)
		room_message_free(&message);

	rc = parse("{\"type\":3,\"inbox\":\"/mcafee/event/qchat/x\"}");
	ok(rc == 0 && message.inbox.len == 0, "an inbox elsewhere is none");
	if (rc == 0)
		room_message_free(&message);

	rc = parse("{\"type\":3,\"inbox\":\"/mcafee/client/#\"}");
	ok(rc == 0 && message.inbox.len == 0, "an inbox of all is none");
	if (rc == 0)
		room_message_free(&message);

	rc = parse("{\"type\":1,\"message\":\"\",\"seq\":-5,\"last\":1.5}");
	ok(rc == 0 && message.seq == -1 && message.last == -1,
		"numbers that are none");
	if (rc == 0)
		room_message_free(&message);
}

static void
test_round_trip(void)
{
	const struct span tags[] = { { "db", 2 }, { "prod", 4 } };
	struct room_message out;
	struct text payload = { 0 };

	room_message_init(&out, ROOM_MESSAGE);
	out.user = span_of("alice");
	out.uid = span_of("0123456789abcdef0123456789abcdef");
	out.text = span_of("a\nb");
	out.time = 1506625783;
	out.ms = INT64_C(1506625783123);
	out.seq = 5;
	out.lines = 2;
	out.last = 6;
	out.severity = ROOM_SEVERITY_HIGH;
	out.title = span_of("t\"q");
	out.tags[0] = tags[0];
	out.tags[1] = tags[1];
	out.tag_count = 2;
	room_format(&out, &payload);
	ok(strstr(payload.bytes, "\"time\":\"1506625783\"") != NULL,
		"time goes out as a string");
	int rc = room_parse(&message,
		(struct span){ payload.bytes, payload.len }, &fault);
	ok(rc == 0 && message.seq == 5 && message.lines == 2 &&
			message.last == 6 && message.ms == out.ms &&
			message.severity == ROOM_SEVERITY_HIGH &&
			span_equal(message.title, out.title) &&
			message.tag_count == 2 &&
			span_equal(message.tags[1], tags[1]) &&
			span_equal(message.user, out.user) &&
			span_equal(message.uid, out.uid) &&
			span_equal(message.text, out.text),
		"a block comes back");
	if (rc == 0)
		room_message_free(&message);
	text_clear(&payload);
	room_message_init(&out, ROOM_WHO);
	room_format(&out, &payload);
	is(payload.bytes, "{\"type\":3}", "a bare question is the original's");
	text_free(&payload);
}

static void
name_is(const char *name, bool good)
{
	ok((room_name_check(span_of(name), &fault) == 0) == good,
		"the name \"%s\" is %s", name, good ? "good" : "refused");
}

static void
test_names(void)
{
	char longest[ROOM_NAME_MAX + 2];

	name_is("ops", true);
	name_is("a/b c", true);
	name_is("caf\xc3\xa9", true);
	name_is("", false);
	name_is("a+b", false);
	name_is("#", false);
	name_is("a\nb", false);
	name_is("a\x7f", false);
	name_is("\xc2\x85", false);
	name_is("\xff", false);
	memset(longest, 'x', sizeof(longest));
	longest[ROOM_NAME_MAX] = '\0';
	ok(room_name_check(span_of(longest), &fault) == 0, "512 bytes do");
	longest[ROOM_NAME_MAX] = 'x';
	longest[ROOM_NAME_MAX + 1] = '\0';
	ok(room_name_check(span_of(longest), &fault) < 0, "513 do not");
	memset(longest, '/', 100);
	longest[100] = '\0';
	ok(room_name_check(span_of(longest), &fault) < 0, "101 levels do not");
	longest[99] = '\0';
	ok(room_name_check(span_of(longest), &fault) == 0, "100 do");
	ok(room_name_check((struct span){ "a\0b", 3 }, &fault) < 0,
		"a NUL does not");
}

int
main(void)
{
	test_time();
	test_refused();
	test_tolerated();
	test_round_trip();
	test_names();
	return done();
}
