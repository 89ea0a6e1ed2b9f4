/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_state.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

struct guard *
guard_new(const struct guard_config *config, const struct guard_calls *calls)
{
	struct guard *guard = memory_alloc(1, sizeof(*guard));

	guard->calls = *calls;
	guard->signer = config->signer;
	guard->verifier = config->verifier;
	guard->waits = config->waits;
	guard->inbox = memory_string(config->inbox);
	guard->random = config->seed;
	guard->quotas = quota_complete(&config->quotas);
	guard->keys = table_new(sizeof(struct guard_key), GUARD_KEYS_MAX);
	guard->waiting = table_new(sizeof(struct guard_waiting),
		GUARD_WAITING_KEYS_MAX);
	guard->names = guard_names_table(&guard->quotas);
	guard->answers = answers_new(GUARD_ANSWER_REST_MS);
	guard->asks = answers_new(GUARD_ANSWER_REST_MS);
	return guard;
}

void
guard_free(struct guard *guard)
{
	if (guard == NULL)
		return;
	guard_free_waiting(guard);
	guard_free_keys(guard);
	table_free(guard->names);
	answers_free(guard->answers);
	answers_free(guard->asks);
	free(guard->inbox);
	free(guard);
}

void
guard_connected(struct guard *guard)
{
	memset(guard->introduced, 0, sizeof(guard->introduced));
}

void
guard_sign(struct guard *guard, struct span topic, struct span envelope,
	int64_t mono, int64_t wall, struct text *out)
{
	struct dxl_message event;
	struct fault fault;
	struct span none = { "", 0 };
	char sig[SIGN_SIG_MAX], key[GUARD_KEY_TEXT];

	/* What a member made is an event. */
	if (dxl_parse(&event, envelope, &fault) < 0) {
		text_append(out, envelope.bytes, envelope.len);
		return;
	}
	signer_sign(guard->signer, topic, event.payload, wall, sig);
	guard_key_of(span_of(sig), key);
	bool introduce = guard_must_introduce(guard, topic, key, mono);
	guard_rewrite(&event, span_of(sig),
		introduce ? span_of(signer_bind(guard->signer)) : none,
		introduce ? span_of(signer_cert(guard->signer)) : none, out);
	dxl_message_free(&event);
}

/* Learns the key that a message brings along.  NULL, or what is wrong with
 * it. */
static const char *
learn(struct guard *guard, const struct trust_claim *claim, int64_t wall)
{
	const char *why = NULL;

	switch (verifier_learn(guard->verifier, claim->source, claim->bind,
		claim->cert, wall, &why)) {
	case VERIFIER_NEW:
	case VERIFIER_KNOWN:
		guard_note_key(guard, claim);
		return NULL;
	case VERIFIER_BAD:
		return why;
	case VERIFIER_BUSY:
		break;
	}
	return NULL;
}

bool
guard_learn_event(struct guard *guard, const struct dxl_message *event,
	int64_t wall)
{
	const struct trust_claim claim = {
		.bind = dxl_field(event, SIGN_BIND_FIELD),
		.cert = dxl_field(event, SIGN_CERT_FIELD),
		.source = event->source_client_id,
	};

	return learn(guard, &claim, wall) == NULL;
}

static void
set_verdict(struct trust *trust, enum trust_mark mark, const char *why)
{
	trust->mark = mark;
	trust->why = why;
}

static void
take_verdict(struct trust *trust, enum trust_mark mark,
	const struct verdict *verdict)
{
	set_verdict(trust, mark, verdict->why);
	trust->sent = verdict->sent;
	strcpy(trust->fingerprint, verdict->fingerprint);
	memcpy(trust->x25519, verdict->x25519, sizeof(trust->x25519));
}

void
guard_vouch(struct guard *guard, const struct trust_claim *claim, int64_t wall,
	struct trust *trust)
{
	struct verdict verdict;
	const char *why = NULL;

	*trust = (struct trust){ .mark = TRUST_NONE, .sent = -1 };
	if (guard->verifier == NULL)
		return;
	if (claim->sig.len == 0) {
		guard_check_name(guard, claim->user, trust);
		return;
	}
	if (claim->bind.len > 0)
		why = learn(guard, claim, wall);
	switch (verifier_check(guard->verifier, claim->source, claim->topic,
		claim->payload, claim->sig, wall, &verdict)) {
	case SIGN_GOOD:
		take_verdict(trust, TRUST_GOOD, &verdict);
		trust->is_trusted = true;
		guard_check_name(guard, claim->user, trust);
		break;
	case SIGN_UNTRUSTED:
		take_verdict(trust, TRUST_DOUBTFUL, &verdict);
		guard_check_name(guard, claim->user, trust);
		break;
	case SIGN_UNKNOWN:
		if (why != NULL)
			set_verdict(trust, TRUST_BAD, why);
		else
			set_verdict(trust, TRUST_DOUBTFUL,
				"its key could not be had");
		break;
	case SIGN_BUSY:
		trust->is_unchecked = true;
		set_verdict(trust, TRUST_DOUBTFUL,
			"not checked: too many bad signatures lately");
		break;
	case SIGN_NONE:
	case SIGN_BAD:
		set_verdict(trust, TRUST_BAD, verdict.why);
		break;
	}
}

void
guard_forward(struct guard *guard, struct span inbox, struct span envelope,
	int64_t mono, struct text *out)
{
	struct dxl_message event;
	struct fault fault;
	struct span bind = { "", 0 }, cert = { "", 0 };
	char key[GUARD_KEY_TEXT];

	if (dxl_parse(&event, envelope, &fault) < 0) {
		text_append(out, envelope.bytes, envelope.len);
		return;
	}
	struct span sig = dxl_field(&event, SIGN_SIG_FIELD);
	if (guard_key_of(sig, key) &&
		guard_must_introduce(guard, inbox, key, mono) &&
		!guard_find_key(guard, key, &bind, &cert)) {
		bind = dxl_field(&event, SIGN_BIND_FIELD);
		cert = dxl_field(&event, SIGN_CERT_FIELD);
	}
	guard_rewrite(&event, sig, bind, cert, out);
	dxl_message_free(&event);
}

void
guard_introduction(struct guard *guard, struct span sig, struct span *bind,
	struct span *cert)
{
	char key[GUARD_KEY_TEXT];

	*bind = *cert = (struct span){ "", 0 };
	if (guard_key_of(sig, key))
		guard_find_key(guard, key, bind, cert);
}

struct guard_counts
guard_counts(const struct guard *guard)
{
	return guard->counts;
}
