/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: table, roster, record, store, and what the screen stands on.
 */
#include "record.h"
#include "roster.h"
#include "sequence.h"
#include "store.h"
#include "table.h"
#include "tap.h"

#include <locale.h>
#include <stdlib.h>

static void
test_table(void)
{
	struct table *table = table_new(sizeof(int), 3);
	char key[2] = "a";
	bool made;

	for (; key[0] <= 'c'; key[0]++)
		*(int *)table_touch(table, span_of(key), &made) = key[0];
	table_touch(table, span_of("a"), &made);
	ok(!made, "a key is found again");
	table_touch(table, span_of("d"), &made);
	ok(made && table_count(table) == 3, "a full table stays at its size");
	ok(table_find(table, span_of("b")) == NULL,
		"the one used longest ago went");
	is(table_key(table_oldest(table)), "c", "the order is that of use");
	is(table_key(table_newer(table_oldest(table))), "a", "and goes on");
	table_remove(table, table_find(table, span_of("a")));
	ok(table_count(table) == 2 &&
			table_newer(table_newer(table_oldest(table))) == NULL,
		"one can be taken out of the middle");
	table_free(table);
	table_free(NULL);
}

/* Keys in the order of the list, one letter each. */
static const char *
keys_of(const struct table *table)
{
	static char text[8];
	size_t len = 0;

	for (const void *entry = table_oldest(table);
		entry != NULL && len + 1 < sizeof(text);
		entry = table_newer(entry))
		text[len++] = *table_key(entry);
	text[len] = '\0';
	return text;
}

static void
test_favoured(void)
{
	struct table *table = table_new(sizeof(int), 3);
	bool made;

	table_favour(table, table_touch(table, span_of("a"), &made));
	is(keys_of(table), "a", "one entry, favoured");
	table_touch(table, span_of("b"), &made);
	table_touch(table, span_of("c"), &made);
	is(keys_of(table), "bca", "the others stand before it");
	table_touch(table, span_of("d"), &made);
	is(keys_of(table), "cda", "and make room");
	table_favour(table, table_find(table, span_of("c")));
	is(keys_of(table), "dac", "one can become so later");
	table_touch(table, span_of("a"), &made);
	is(keys_of(table), "dca", "and they have an order of use, too");
	is(table_key(table_oldest_favoured(table)), "c", "with an oldest");
	table_remove(table, table_find(table, span_of("c")));
	is(keys_of(table), "da", "one can be taken out");
	table_favour(table, table_find(table, span_of("d")));
	table_touch(table, span_of("e"), &made);
	table_favour(table, table_find(table, span_of("e")));
	table_touch(table, span_of("f"), &made);
	is(keys_of(table), "fde",
		"where all are favoured, the one used longest ago goes");
	table_remove(table, table_find(table, span_of("d")));
	table_remove(table, table_find(table, span_of("e")));
	ok(table_oldest_favoured(table) == NULL &&
			strcmp(keys_of(table), "f") == 0,
		"until none is left");
	table_free(table);
}

static void
test_roster(void)
{
	struct roster *roster = roster_new(2);
	struct room_message message;
	const struct trust unsigned_one = { .mark = TRUST_NONE };
	char name[ROOM_USER_MAX + 3];
	bool made;

	memset(name, 'x', sizeof(name));
	memcpy(name + ROOM_USER_MAX - 1, "\xc3\xa9", 3);
	room_message_init(&message, ROOM_HERE);
	message.uid = span_of("1");
	message.user = span_of(name);
	const struct roster_entry *entry = roster_hear(roster, &message,
		&unsigned_one, 5, &made);
	ok(strlen(entry->user) == ROOM_USER_MAX - 1,
		"a long name is cut between two characters");
	ok(roster_deadline(roster) == 5 + ROSTER_FORGET_MS,
		"it will be forgotten");
	ok(roster_expired(roster, 5 + ROSTER_FORGET_MS - 1) == NULL &&
			roster_expired(roster, 5 + ROSTER_FORGET_MS) == entry,
		"and not before");
	ok(roster_bye_fits(entry, span_of("")), "a bye without conn fits");
	ok(!roster_bye_fits(entry, span_of("c")), "one of another does not");
	roster_free(roster);
}

static void
hear_as(struct roster *roster, const char *uid, enum trust_mark mark,
	int64_t mono)
{
	const struct trust trust = { .mark = mark };
	struct room_message message;
	bool made;

	room_message_init(&message, ROOM_HERE);
	message.uid = span_of(uid);
	roster_hear(roster, &message, &trust, mono, &made);
}

/* Who is there, one letter each. */
static const char *
letters(const struct roster *roster)
{
	static char text[8];
	size_t len = 0;

	for (const struct roster_entry *entry = roster_first(roster);
		entry != NULL && len + 1 < sizeof(text);
		entry = roster_next(entry))
		text[len++] = *roster_uid(entry);
	text[len] = '\0';
	return text;
}

static void
test_crowded_roster(void)
{
	struct roster *roster = roster_new(3);

	hear_as(roster, "a", TRUST_GOOD, 1);
	hear_as(roster, "b", TRUST_GOOD, 2);
	hear_as(roster, "c", TRUST_NONE, 3);
	hear_as(roster, "d", TRUST_DOUBTFUL, 4);
	hear_as(roster, "e", TRUST_NONE, 5);
	is(letters(roster), "eab",
		"in a full roster, who is not proven displaces its like");
	ok(roster_displaced(roster) == 2, "which is counted");
	hear_as(roster, "a", TRUST_DOUBTFUL, 6);
	hear_as(roster, "f", TRUST_BAD, 7);
	is(letters(roster), "fba", "who was proven once keeps its place");
	ok(strcmp(roster_uid(roster_expired(roster, 2 + ROSTER_FORGET_MS)),
		   "b") == 0,
		"until it is silent");
	hear_as(roster, "f", TRUST_GOOD, 8);
	is(letters(roster), "baf", "one can be proven later");
	hear_as(roster, "g", TRUST_NONE, 9);
	is(letters(roster), "gaf",
		"when all are proven, the one silent longest goes");
	ok(roster_count(roster) == 3, "and never are there more");
	roster_free(roster);
}

static void
test_crowded_sequence(void)
{
	struct sequence *sequence = sequence_new(2);
	static const char *const uids[] = { "proven", "one", "two", "three" };
	int64_t from;

	for (size_t i = 0; i < 4; i++) {
		sequence_take(sequence, span_of(uids[i]), 1, 1, true, &from);
		if (i == 0)
			sequence_prove(sequence, span_of("proven"));
	}
	ok(sequence_knows(sequence, span_of("three")) &&
			!sequence_knows(sequence, span_of("two")),
		"of many senders the last ones are known");
	ok(sequence_take(sequence, span_of("proven"), 1, 1, true, &from) ==
			SEQUENCE_OLD,
		"and who was proven, so that a replay stays one");
	sequence_free(sequence);
}

/* Of what is said again, a newcomer may have the end. */
static void
test_early_sequence(void)
{
	struct sequence *sequence = sequence_new(2);
	struct room_range block = { 4, 7 };

	sequence_begin(sequence, span_of("a"), 6);
	ok(sequence_take_early(sequence, span_of("a"), &block) &&
			block.first == 4 && block.last == 5,
		"what came before our first is taken, and no more");
	block = (struct room_range){ 4, 7 };
	ok(!sequence_take_early(sequence, span_of("a"), &block), "once");
	block = (struct room_range){ 6, 7 };
	ok(!sequence_take_early(sequence, span_of("a"), &block),
		"what is ours is not");
	sequence_free(sequence);
}

static const struct span tags[] = { { "db", 2 } };
static const struct record sample = {
	.type = RECORD_MESSAGE,
	.time = INT64_C(1795408513935),
	.received = INT64_C(1795408514000),
	.room = { "incident 42", 11 },
	.user = { "al\x1b"
		  "ice",
		6 },
	.uid = { "0123456789abcdef0123456789abcdef", 32 },
	.seq = 7,
	.text = { "a\nb\\c\x7f\xc3\xa9", 8 },
	.severity = ROOM_SEVERITY_HIGH,
	.title = { "disk", 4 },
	.tags = tags,
	.tag_count = 1,
	.since = -1,
	.idle = -1,
	.said = -1,
};

static void
test_record(void)
{
	struct text out = { 0 };
	struct record record = sample;
	struct fault fault = { 0 };

	record_plain(&sample, &out);
	is(out.bytes,
		"2026-11-23T04:35:13.935Z incident_42 - al\\x1bice "
		"[high] disk: a\\nb\\\\c\\x7f\xc3\xa9\n",
		"the plain line");
	text_clear(&out);
	record_json(&sample, &out);
	is(out.bytes,
		"{\"v\":1,\"id\":\"0123456789abcdef0123456789abcdef/7\","
		"\"room\":\"incident 42\",\"type\":\"message\","
		"\"time\":\"2026-11-23T04:35:13.935Z\","
		"\"received\":\"2026-11-23T04:35:14.000Z\","
		"\"user\":\"al\\u001Bice\","
		"\"uid\":\"0123456789abcdef0123456789abcdef\",\"seq\":7,"
		"\"mark\":\"-\",\"fingerprint\":\"-\",\"sealed\":false,"
		"\"text\":\"a\\nb\\\\c\\u007f\\u00E9\",\"severity\":\"high\","
		"\"title\":\"disk\",\"tags\":[\"db\"]}\n",
		"the JSON line");
	text_clear(&out);
	record_counts_json((const struct record_count[]){ { "forged", 2 },
				   { "over_names", 1 } },
		2, sample.time, &out);
	is(out.bytes,
		"{\"v\":1,\"type\":\"counts\","
		"\"time\":\"2026-11-23T04:35:13.935Z\","
		"\"counts\":{\"forged\":2,\"over_names\":1}}\n",
		"counters");
	text_clear(&out);
	record_room_json(&(const struct record_room){ .room = span_of("a\x7f"),
				 .time = sample.time,
				 .participants = 3,
				 .since = -1,
				 .messages = 5,
				 .per_hour = -1,
				 .listeners = 4,
				 .brokers = 1,
				 .brokers_known = -1 },
		&out);
	is(out.bytes,
		"{\"v\":1,\"room\":\"a\\u007f\",\"type\":\"room\","
		"\"time\":\"2026-11-23T04:35:13.935Z\",\"participants\":3,"
		"\"known\":null,\"since\":null,\"messages\":5,\"per_hour\":"
		"null,"
		"\"sealed\":false,\"listeners\":4,\"brokers\":1,"
		"\"brokers_known\":null}\n",
		"a room");
	text_clear(&out);
	record_format(&sample, "%r|%k|%u|%s|%f|%%|\\t\\n\\\\", &out);
	is(out.bytes, "incident_42|-|al\\x1bice|7|-|%|\t\n\\", "a format");
	text_clear(&out);
	record_format(&sample, "a\\0b", &out);
	ok(out.len == 3 && out.bytes[1] == '\0', "a NUL that was asked for");
	ok(record_format_check("%t %q", &fault) < 0 &&
			strstr(fault.text, "character 4") != NULL,
		"a wrong format names the place");
	ok(record_format_check("100%", &fault) < 0, "so does a lone percent");
	record.late = true;
	text_clear(&out);
	record_plain(&record, &out);
	record_json(&record, &out);
	ok(strstr(out.bytes, " -~ al") != NULL &&
			strstr(out.bytes, "\"late\":true") != NULL,
		"what is late says so");
	record.late = false;
	record.type = RECORD_GAP;
	record.gap_first = 3;
	record.gap_last = 5;
	text_clear(&out);
	record_plain(&record, &out);
	ok(strstr(out.bytes, " * al\\x1bice missing: 3 to 5\n") != NULL,
		"a gap has a mark that no message has");
	text_free(&out);
}

/* Bounds that 32 bits do not hold are large ones. */
static void
test_large_store(void)
{
	const int64_t beyond = INT64_C(1) << 32;
	struct store *store = store_new(beyond + 4, beyond + 1);

	store_put(store, span_of("a"), 1, 1, 0, span_of("hello"));
	store_put(store, span_of("a"), 2, 2, 0, span_of("again"));
	ok(store_count(store) == 2, "a store may be larger than 4 GiB");
	store_free(store);
	store = store_new(9, 0);
	store_put(store, span_of("a"), 1, 1, 0, span_of("hello"));
	store_put(store, span_of("a"), 2, 2, 0, span_of("again"));
	ok(store_count(store) == 1, "one of nine bytes is not");
	store_free(store);
}

int
main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	test_table();
	test_favoured();
	test_roster();
	test_crowded_roster();
	test_crowded_sequence();
	test_early_sequence();
	test_record();
	test_large_store();
	return done();
}
