/* SPDX-License-Identifier: Apache-2.0 */
#include "alert.h"

#include "attention.h"
#include "memory.h"
#include "notify.h"
#include "terminal.h"

#include <stdlib.h>
#include <string.h>

struct alert {
	const struct conf_join *conf;
	struct span words[CONF_WORDS_MAX + 1]; /* our own name is the last */
	size_t word_count;
	char *name;
	enum room_severity from;
	struct attention_rate bell, notices;
	struct notify *notify; /* NULL: no command */
	bool failure_told;
};

static enum room_severity
severity_of(const struct conf_join *conf)
{
	const char *name = conf->notify_severity != NULL ? conf->notify_severity
							 : CONF_NOTIFY_SEVERITY;

	return room_severity_of(span_of(name));
}

struct alert *
alert_new(const struct conf_join *conf, struct fault *fault)
{
	struct alert *alert = memory_alloc(1, sizeof(*alert));

	alert->conf = conf;
	alert->from = severity_of(conf);
	alert->bell = (struct attention_rate){ .every_ms = ATTENTION_BELL_MS,
		.burst = 1 };
	alert->notices = (struct attention_rate){
		.every_ms = ATTENTION_NOTIFY_MS,
		.burst = ATTENTION_NOTIFY_BURST,
	};
	for (char **word = conf->highlight; word != NULL && *word != NULL;
		word++)
		alert->words[alert->word_count++] = span_of(*word);
	if (conf->notify == NULL)
		return alert;
	alert->notify = notify_new(conf->notify[0], fault);
	if (alert->notify == NULL) {
		alert_free(alert);
		return NULL;
	}
	return alert;
}

void
alert_free(struct alert *alert)
{
	if (alert == NULL)
		return;
	notify_free(alert->notify);
	free(alert->name);
	free(alert);
}

void
alert_name(struct alert *alert, struct span name)
{
	alert->name = memory_copy(name.bytes, name.len);
	alert->words[alert->word_count++] = (struct span){ alert->name,
		name.len };
}

bool
alert_mentions(const struct alert *alert, struct span text)
{
	return attention_mentions(text, alert->words, alert->word_count);
}

static void
notify(struct alert *alert, struct span room, const struct line *line,
	int64_t mono)
{
	struct fault fault;

	if (alert->notify == NULL || !attention_allow(&alert->notices, mono))
		return;
	uint64_t withheld = attention_withheld(&alert->notices);
	char **argv = attention_argv(alert->conf->notify, room, line->user,
		line->text, withheld);
	/* The next one tells of it. */
	if (notify_run(alert->notify, argv, mono, &fault) < 1)
		alert->notices.withheld += withheld + 1;
	free(argv);
}

void
alert_tell(struct alert *alert, struct span room, const struct line *line,
	int64_t mono)
{
	const struct attention_message message = {
		.own = line->own,
		.replayed = line->replayed,
		.forged = line->mark == TRUST_BAD,
		.direct = line->kind == LINE_DIRECT,
		.mentions = line->mentions,
		.severity = line->severity,
	};

	if (attention_level(&message, alert->from) < ATTENTION_SEVERE)
		return;
	if (alert->conf->bell != CONF_BELL_OFF &&
		attention_allow(&alert->bell, mono))
		terminal_bell();
	notify(alert, room, line, mono);
}

bool
alert_reap(struct alert *alert, int64_t mono)
{
	if (alert->notify == NULL || notify_reap(alert->notify, mono) == 0 ||
		alert->failure_told)
		return false;
	alert->failure_told = true;
	return true;
}
