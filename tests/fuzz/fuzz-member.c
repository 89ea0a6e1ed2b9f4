/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member's life: a script of what it hears and does, at what time.  What it
 * may publish, hand out and keep is bounded; it never spins; the same script
 * gives the same.  Its lines, of which the first is for the kind of member:
 *
 *	psuowdr  participant, stream, unconfirmed, once, wants its own,
 *	         durable, a state restored; 1 to 9: newest records wanted
 *	c        a connection is made, and stands; k, u: one after the other
 *	d        it is gone
 *	r JSON   a message arrives in the room; i: in our inbox; I: there, and
 *	         without the room's topic; l: in the lobby
 *	R BYTES  no envelope of ours does
 *	t MS     time passes, with all that is due then; T: and nothing is
 *	         done until then
 *	s TEXT   says it; b A|B|C: as a block
 *	e        what was published comes back
 *	g JSON   says again what an earlier process said
 *	f m a L  finishes, has sent, asks, leaves
 *	v w      saves, wants its will
 *	x        drops the first that waits for its proof
 */
#include "fuzz.h"
#include "member_state.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

enum {
	STORE_MESSAGES = 8,
	STORE_BYTES = 4096,
	PARTICIPANTS = 8,
	POST_LINES_MAX = 64,
	STEP_MS_MAX = 700 * 1000,
	TICKS_MAX = 20000, /* of one script */
	SPIN_MAX = 600,    /* at one moment */
	SCRIPT_MAX = 65536,
};

struct life {
	struct watch watch;
	struct member_config config;
	struct member *member;
	struct instant now;
	int ticks;
	bool finishing, left;
};

static const char
	state[] = "qchat-state 1\nroom ops\nsince 1795408000000\n"
		  "time 1795408500000\n3 u\n9:7:1-2:4-5 w\n0 v\nend\n";

static bool
has(struct span flags, char flag)
{
	return flags.len > 0 && memchr(flags.bytes, flag, flags.len) != NULL;
}

static int64_t
records_of(struct span flags)
{
	for (size_t i = 0; i < flags.len; i++)
		if (flags.bytes[i] >= '1' && flags.bytes[i] <= '9')
			return flags.bytes[i] - '0';
	return 0;
}

static void
begin(struct life *life, struct span flags)
{
	*life = (struct life){
		.now = { 1000000, INT64_C(1795408513935) },
		.config = { .room = "ops",
			.user = "alice",
			.uid = "0123456789abcdef0123456789abcdef",
			.inbox = "/mcafee/client/{alice}",
			.app = "fuzz/1",
			.quotas = { .participants = PARTICIPANTS },
			.participant = has(flags, 'p'),
			.stream = has(flags, 's'),
			.unconfirmed = has(flags, 'u'),
			.once = has(flags, 'o'),
			.show_own = has(flags, 'w'),
			.durable = has(flags, 'd'),
			.catch_up_records = records_of(flags),
			.store_bytes = STORE_BYTES,
			.store_count = STORE_MESSAGES,
			.proof_ms = 5000,
			.seed = 1 },
	};
	struct member_calls calls = watch_calls(&life->watch);
	struct fault fault = { 0 };

	life->watch.ordered = life->config.participant;
	life->member = member_new(&life->config, &calls);
	if (has(flags, 'r'))
		FUZZ_CHECK(member_restore(life->member, span_of(state),
				   &fault) == 0);
}

static void
receive(struct life *life, const char *topic, struct span bytes)
{
	struct span copy = fuzz_copy(bytes.bytes, bytes.len);

	life->watch.fed++;
	member_receive(life->member, span_of(topic), copy, life->now);
	free((void *)(uintptr_t)copy.bytes);
}

static void
receive_json(struct life *life, const char *topic, const char *about,
	struct span json)
{
	struct span fields[2] = { span_of(ROOM_TOPIC_FIELD), span_of(about) };
	struct text bytes = { 0 };
	const struct dxl_message event = { .version = DXL_VERSION,
		.type = DXL_EVENT,
		.message_id = span_of("{id}"),
		.payload = json,
		.other_fields = { fields, about != NULL ? 2 : 0 } };

	dxl_format(&event, &bytes);
	receive(life, topic, (struct span){ bytes.bytes, bytes.len });
	text_free(&bytes);
}

/* All that was published comes back, where we hear it. */
static void
echo(struct life *life)
{
	struct watch came = life->watch;

	life->watch.echo_count = 0;
	for (size_t i = 0; i < came.echo_count; i++)
		if (strcmp(came.echoes[i].topic, member_topic(life->member)) ==
				0 ||
			strcmp(came.echoes[i].topic, life->config.inbox) == 0)
			receive(life, came.echoes[i].topic,
				came.echoes[i].bytes);
	watch_free(&came);
}

static bool
is_due(const struct life *life)
{
	return member_deadline(life->member) <= life->now.mono &&
		!member_is_finished(life->member, life->now);
}

/* All that is due now is done, and then nothing is. */
static void
settle(struct life *life)
{
	int spins = 0;

	for (; is_due(life); spins++) {
		FUZZ_CHECK(spins < SPIN_MAX);
		life->ticks++;
		member_tick(life->member, life->now);
	}
}

static void
pass_to(struct life *life, int64_t mono)
{
	int64_t ms = mono - life->now.mono;

	life->now.mono += ms;
	life->now.wall += ms;
	life->watch.ms += ms;
	settle(life);
}

static int64_t
duration(struct span digits)
{
	int64_t ms = 0;

	for (size_t i = 0; i < digits.len && i < 7; i++)
		if (digits.bytes[i] >= '0' && digits.bytes[i] <= '9')
			ms = ms * 10 + (digits.bytes[i] - '0');
	return ms < STEP_MS_MAX ? ms : STEP_MS_MAX;
}

static void
pass(struct life *life, int64_t ms)
{
	int64_t until = life->now.mono + ms, deadline;

	settle(life);
	while ((deadline = member_deadline(life->member)) < until &&
		life->ticks < TICKS_MAX &&
		!member_is_finished(life->member, life->now))
		pass_to(life, deadline);
	pass_to(life, until);
}

static void
connect_member(struct life *life)
{
	static const char *const conns[] = { "c0", "c1", "c2", "c3" };

	if (life->member->connected)
		return;
	member_connected(life->member, conns[life->watch.connects++ % 4],
		life->now);
}

static void
stand(struct life *life)
{
	if (life->member->connected && !life->member->up)
		member_up(life->member, life->now);
}

static void
say(struct life *life, struct span line, bool block)
{
	struct text text = { 0 };
	struct member_post post = { .lines = -1 };
	struct fault fault = { 0 };

	if (life->finishing || (life->config.once && life->watch.posts > 0))
		return;
	text_append(&text, line.bytes, line.len);
	for (size_t i = 0; block && i < text.len; i++)
		if (text.bytes[i] == '|' && post.lines < POST_LINES_MAX) {
			text.bytes[i] = '\n';
			post.lines = post.lines < 0 ? 2 : post.lines + 1;
		}
	post.text = (struct span){ text.bytes, text.len };
	if (!block || post.lines > 0) {
		int64_t number = member_say(life->member, &post, life->now,
			&fault);

		FUZZ_CHECK(number > 0 || fault.kind == FAULT_DATA);
		life->watch.posts++;
	}
	text_free(&text);
}

static void
say_again(struct life *life, struct span json)
{
	struct text bytes = { 0 };
	struct fault fault = { 0 };
	const struct dxl_message event = { .version = DXL_VERSION,
		.type = DXL_EVENT,
		.payload = json };

	dxl_format(&event, &bytes);
	if (member_resend(life->member, (struct span){ bytes.bytes, bytes.len },
		    false, life->now, &fault) < 0)
		FUZZ_CHECK(fault.kind == FAULT_DATA);
	life->watch.posts++;
	text_free(&bytes);
}

/* What it saves, another goes on from. */
static void
save(const struct life *life)
{
	struct watch watch = { 0 };
	struct member_calls calls = watch_calls(&watch);
	struct member *other = member_new(&life->config, &calls);
	struct text saved = { 0 };
	struct fault fault = { 0 };

	member_save(life->member, life->now, NULL, 0, &saved);
	FUZZ_CHECK(
		member_restore(other, (struct span){ saved.bytes, saved.len },
			&fault) == 0);
	text_free(&saved);
	member_free(other);
}

static void
will(const struct life *life)
{
	struct text bytes = { 0 };

	if (member_will(life->member, "c9", life->now, &bytes))
		FUZZ_CHECK(bytes.len > 0);
	text_free(&bytes);
}

static void
hear(struct life *life, char op, struct span rest)
{
	const char *room = member_topic(life->member);

	if (op == 'r')
		receive_json(life, room, NULL, rest);
	else if (op == 'i')
		receive_json(life, life->config.inbox, room, rest);
	else if (op == 'I')
		receive_json(life, life->config.inbox, NULL, rest);
	else if (op == 'l')
		receive_json(life, ROOM_LOBBY_TOPIC, NULL, rest);
	else
		receive(life, room, rest);
}

static void
finish(struct life *life)
{
	if (!life->finishing)
		member_finish(life->member, life->now);
	life->finishing = true;
}

static void
step(struct life *life, char op, struct span rest)
{
	switch (op) {
	case 'c':
		connect_member(life);
		stand(life);
		break;
	case 'k':
		connect_member(life);
		break;
	case 'u':
		stand(life);
		break;
	case 'd':
		member_disconnected(life->member, life->now);
		break;
	case 't':
		pass(life, duration(rest));
		break;
	case 'T':
		pass_to(life, life->now.mono + duration(rest));
		break;
	case 's':
	case 'b':
		say(life, rest, op == 'b');
		break;
	case 'e':
		echo(life);
		break;
	case 'g':
		say_again(life, rest);
		break;
	case 'f':
		finish(life);
		break;
	case 'm':
		member_sent(life->member, life->now);
		break;
	case 'a':
		if (life->member->connected)
			member_ask(life->member, MEMBER_WAIT_MS, life->now);
		break;
	case 'L':
		member_leave(life->member, life->now);
		break;
	case 'v':
		save(life);
		break;
	case 'w':
		will(life);
		break;
	case 'x':
		if (member_unproved(life->member) > 0)
			member_drop_first(life->member);
		break;
	case 'r':
	case 'i':
	case 'I':
	case 'l':
	case 'R':
		hear(life, op, rest);
		break;
	default:
		break;
	}
}

static void
check(const struct life *life)
{
	const struct member *member = life->member;

	watch_check(&life->watch, member);
	FUZZ_CHECK(store_count(member->store) <= STORE_MESSAGES);
	FUZZ_CHECK(roster_count(member_roster(member)) <= PARTICIPANTS);
	FUZZ_CHECK(
		member->pending_bytes <= (size_t)member->quotas.catch_up_bytes);
	FUZZ_CHECK(member->catch_up.offer_count <= OFFERS_MAX);
	FUZZ_CHECK((int64_t)member_unproved(member) <= life->watch.posts);
}

static uint64_t
live(struct span script)
{
	struct life life;
	struct span line = { "", 0 };

	fuzz_line(&script, &line);
	begin(&life, line);
	while (fuzz_line(&script, &line) && life.ticks < TICKS_MAX) {
		if (line.len == 0)
			continue;
		char op = line.bytes[0];
		bool blank = line.len > 1 && line.bytes[1] == ' ';

		line.bytes += 1 + blank;
		line.len -= 1 + (size_t)blank;
		step(&life, op, line);
		check(&life);
	}
	member_free(life.member);
	watch_free(&life.watch);
	return life.watch.digest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span script = { (const char *)data, size };

	if (size <= SCRIPT_MAX)
		FUZZ_CHECK(live(script) == live(script));
	return 0;
}
