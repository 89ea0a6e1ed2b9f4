/* SPDX-License-Identifier: Apache-2.0 */
#include "seal_state.h"

#include "translate.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

/* Which key: salt and key id. */
enum { NAMES_BYTES = SEAL_SALT_BYTES + SEAL_KEY_ID_BYTES };

struct names {
	unsigned char bytes[NAMES_BYTES];
};

static bool
parse_names(struct names *names, const struct seal_fields *fields)
{
	return seal_decode(names->bytes, fields->salt, SEAL_SALT_BYTES) &&
		seal_decode(names->bytes + SEAL_SALT_BYTES, fields->key,
			SEAL_KEY_ID_BYTES);
}

static bool
counter_fits(int64_t counter)
{
	return counter >= 1 && counter <= SEAL_COUNTER_MAX;
}

bool
seal_is_direct(const struct seal_fields *fields)
{
	return fields->to.len > 0;
}

int
seal_id(const struct seal_fields *fields, char id[static SEAL_ID_MAX])
{
	unsigned char key[SIGN_KEY_BYTES];
	struct names names;

	if (seal_is_direct(fields)) {
		if (!seal_decode(key, fields->ephemeral, sizeof(key)))
			return -1;
		snprintf(id, SEAL_ID_MAX, "%.*s", (int)fields->ephemeral.len,
			fields->ephemeral.bytes);
		return 0;
	}
	if (!parse_names(&names, fields) || !counter_fits(fields->counter))
		return -1;
	snprintf(id, SEAL_ID_MAX, "%.*s.%lld", (int)fields->salt.len,
		fields->salt.bytes, (long long)fields->counter);
	return 0;
}

static struct span
span_of_names(const struct names *names)
{
	return (struct span){ (const char *)names->bytes, NAMES_BYTES };
}

static bool
may_read(const struct seal *seal, size_t secret, int64_t now)
{
	return now <= seal->secrets[secret].until;
}

/* Only who has the secret can make this pair of salt and key id: strangers
 * cannot push anything out with what they make up. */
static const struct known_key *
remember(struct seal *seal, const struct names *names, size_t secret,
	const struct seal_key *key)
{
	struct known_key *oldest = table_oldest(seal->known);
	bool made;

	if (table_count(seal->known) >= seal->limits.keys)
		OPENSSL_cleanse(oldest, sizeof(*oldest));
	struct known_key *known = table_touch(seal->known, span_of_names(names),
		&made);
	memcpy(known->bytes, key->bytes, sizeof(known->bytes));
	known->secret = secret;
	return known;
}

/* Looks which secret makes this key id of this salt. */
static const struct known_key *
derive(struct seal *seal, const struct names *names, int64_t now)
{
	const struct known_key *known = NULL;
	struct seal_key key;

	for (size_t i = 0; i < seal->count && known == NULL; i++) {
		if (!may_read(seal, i, now))
			continue;
		seal_room_key(seal, i, names->bytes, &key);
		if (memcmp(key.id, names->bytes + SEAL_SALT_BYTES,
			    sizeof(key.id)) == 0)
			known = remember(seal, names, i, &key);
	}
	OPENSSL_cleanse(&key, sizeof(key));
	return known;
}

static enum seal_state
find_key(struct seal *seal, struct span source, const struct names *names,
	int64_t now, const struct known_key **found)
{
	bool made;

	*found = table_find(seal->known, span_of_names(names));
	if (*found != NULL) {
		/* In the order of last use. */
		*found = table_touch(seal->known, span_of_names(names), &made);
		return may_read(seal, (*found)->secret, now) ? SEAL_OPENED
							     : SEAL_FOREIGN;
	}
	if (table_find(seal->foreign, span_of_names(names)) != NULL)
		return SEAL_FOREIGN;
	if (!budget_allows(seal->budget, source, now))
		return SEAL_BUSY;
	*found = derive(seal, names, now);
	if (*found != NULL)
		return SEAL_OPENED;
	budget_charge(seal->budget, BUDGET_ALL, source, now);
	table_touch(seal->foreign, span_of_names(names), &made);
	return SEAL_FOREIGN;
}

static enum seal_state
open_fields(struct seal *seal, struct span source, struct span place,
	const struct seal_fields *fields, int64_t now, struct text *inner,
	const char **why)
{
	const struct known_key *key;
	struct names names;

	*why = _("it is malformed");
	if (fields->version != SEAL_VERSION) {
		*why = _("it is of an unknown version");
		return SEAL_BAD;
	}
	if (seal_is_direct(fields) || !parse_names(&names, fields) ||
		!counter_fits(fields->counter) || place.len > SEAL_PLACE_MAX)
		return SEAL_BAD;
	enum seal_state state = find_key(seal, source, &names, now, &key);
	if (state != SEAL_OPENED)
		return state;
	struct text names_text = { 0 };
	struct seal_box box = {
		.key = key->bytes,
		.counter = fields->counter,
		.place = place,
	};
	seal_room_box(&box, &names_text, names.bytes,
		names.bytes + SEAL_SALT_BYTES);
	*why = seal_box_open(&box, fields->sealed, inner);
	text_free(&names_text);
	return *why == NULL ? SEAL_OPENED : SEAL_BAD;
}

enum seal_state
seal_open(struct seal *seal, struct span source, struct span place,
	const struct seal_fields *fields, int64_t now, struct text *inner,
	struct fault *fault)
{
	const char *why;
	enum seal_state state = open_fields(seal, source, place, fields, now,
		inner, &why);

	switch (state) {
	case SEAL_OPENED:
		seal->counts.opened++;
		break;
	case SEAL_FOREIGN:
		seal->counts.foreign++;
		fault_set(fault, FAULT_DATA,
			"a sealed message: it needs another secret of the room "
			"(somebody in it can make an invitation: "
			"qchat-invite)");
		break;
	case SEAL_BAD:
		seal->counts.bad++;
		fault_set(fault, FAULT_DATA, "a sealed message: %s", why);
		break;
	case SEAL_BUSY:
		seal->counts.busy++;
		fault_set(fault, FAULT_DATA,
			"a sealed message: too many could not be opened "
			"lately");
		break;
	}
	return state;
}
