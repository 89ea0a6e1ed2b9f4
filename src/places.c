/* SPDX-License-Identifier: Apache-2.0 */
#include "places.h"

#include "names.h"
#include "translate.h"

#include <stdlib.h>
#include <string.h>

/* Strangers who look like somebody do not count. */
int
places_user(const struct member *member, const char *name, const char **user,
	struct fault *fault)
{
	const struct roster_entry *entry = roster_first(member_roster(member));
	bool is_trusted = false;

	*user = NULL;
	for (; entry != NULL; entry = roster_next(entry)) {
		if (!roster_is_called(entry, name))
			continue;
		if (*user == NULL || (entry->trust.is_trusted && !is_trusted)) {
			*user = entry->user;
			is_trusted = entry->trust.is_trusted;
		} else if (entry->trust.is_trusted &&
			strcmp(*user, entry->user) != 0) {
			return fault_set(fault, FAULT_NOPERM,
				"two names that look like %s are here "
				"(ask who is who, and have one take another "
				"name)",
				name);
		}
	}
	return *user != NULL;
}

/* The certificate that the name was seen with before, if it was. */
static int
find_seen(struct places *places, const struct conf *conf, struct fault *fault)
{
	char *path = names_path(conf, fault);
	int rc = path != NULL
		? names_find(path, places->user, places->fingerprint, fault)
		: -1;

	free(path);
	places->is_known = rc == 1;
	return rc < 0 ? -1 : 0;
}

/* Is it the one whose name was known before, or, if none was, may it be? */
static bool
is_choice(const struct places *places, const struct trust *trust)
{
	if (!places->is_known)
		return trust->is_trusted;
	return trust->mark == TRUST_GOOD &&
		strcmp(trust->fingerprint, places->fingerprint) == 0;
}

/* Participants under that name, but for ourselves; and of these, if there are
 * any, only those that may be chosen: others are not to keep one from having
 * its messages, unless they have as good a claim to its name. */
struct search {
	const struct places *places;
	const struct member *member;
	bool chooses;
	const struct roster_entry *entry;
};

static bool
is_searched(const struct search *search)
{
	const struct roster_entry *entry = search->entry;

	return strcmp(entry->user, search->places->user) == 0 &&
		strcmp(roster_uid(entry), member_uid(search->member)) != 0 &&
		(!search->chooses || is_choice(search->places, &entry->trust));
}

static bool
search_next(struct search *search)
{
	do {
		search->entry = search->entry != NULL
			? roster_next(search->entry)
			: roster_first(member_roster(search->member));
	} while (search->entry != NULL && !is_searched(search));
	return search->entry != NULL;
}

static struct search
search_begin(const struct places *places, const struct member *member)
{
	struct search search = { places, member, true, NULL };

	search.chooses = search_next(&search);
	search.entry = NULL;
	return search;
}

/* Can it be sealed to all of them, and are they one person? */
static int
check_person(struct search search, const struct places_help *help,
	struct fault *fault)
{
	const char *user = search.places->user, *first = NULL;

	while (search_next(&search)) {
		const char *found = search.entry->trust.fingerprint;

		if (*found == '\0' || search.entry->inbox[0] == '\0')
			return fault_set(fault, FAULT_NOPERM,
				"%s is here without a signature, so that "
				"nothing can be sealed to it",
				user);
		if (first != NULL && strcmp(first, found) != 0)
			return fault_set(fault, FAULT_NOPERM,
				"%s is here with two certificates, %s and %s "
				"(when one of them has gone, %s says that it "
				"is the other)",
				user, first, found, help->pin);
		first = found;
	}
	return 0;
}

static int
refuse(const char *user, const struct trust *trust, const char *why,
	const char *pinned, const struct places_help *help, struct fault *fault)
{
	struct text text = { 0 };

	text_appendf(&text, _("%s has the certificate %s: %s"), user,
		trust->fingerprint, why != NULL ? _(why) : _("not trusted"));
	if (*pinned != '\0')
		text_appendf(&text, ", %s", pinned);
	/* One that is not trusted cannot be pinned. */
	if (*pinned != '\0' && trust->is_trusted)
		text_appendf(&text, _(" (if that is right: %s)"), help->pin);
	fault_set(fault, FAULT_NOPERM, "%s", text.bytes);
	text_free(&text);
	return -1;
}

/* Is the name that person's own? */
static int
check_name(struct search search, const struct places_help *help,
	struct fault *fault)
{
	const struct places *places = search.places;

	while (search_next(&search)) {
		const struct trust *trust = &search.entry->trust;

		if (places->is_known &&
			strcmp(trust->fingerprint, places->fingerprint) != 0)
			return refuse(places->user, trust,
				N_("its name was seen with another "
				   "certificate"),
				places->fingerprint, help, fault);
		if (trust->mark != TRUST_GOOD)
			return refuse(places->user, trust, trust->why,
				trust->pinned, help, fault);
	}
	return 0;
}

static int
choose(struct places *places, const struct member *member,
	const struct places_help *help, struct fault *fault)
{
	struct search search = search_begin(places, member);
	size_t heard = 0;

	if (check_person(search, help, fault) < 0 ||
		check_name(search, help, fault) < 0)
		return -1;
	/* The roster has those last that were heard last. */
	while (search_next(&search)) {
		const struct trust *trust = &search.entry->trust;

		strcpy(places->fingerprint, trust->fingerprint);
		places->at[heard++ % PLACES_MAX] = (struct member_place){
			search.entry->inbox, trust->x25519
		};
	}
	places->count = heard < PLACES_MAX ? heard : PLACES_MAX;
	return 0;
}

int
places_find(struct places *places, const struct member *member,
	const char *name, const struct conf *conf,
	const struct places_help *help, struct fault *fault)
{
	const char *user;
	int rc = places_user(member, name, &user, fault);

	*places = (struct places){ 0 };
	if (rc < 0)
		return -1;
	if (rc == 1) {
		strcpy(places->user, user);
		if (find_seen(places, conf, fault) < 0 ||
			choose(places, member, help, fault) < 0)
			return -1;
		if (places->count > 0)
			return 0;
	}
	return fault_set(fault, FAULT_UNAVAILABLE,
		rc == 1 ? "\"%s\" is you, and nobody else (%s)"
			: _("\"%s\" is not in the room, and nothing is kept "
			    "(%s)"),
		name, _(help->who));
}

int
places_remember(const struct places *places, const struct conf *conf,
	struct fault *fault)
{
	struct text line = { 0 };

	if (places->is_known)
		return 0;
	char *path = names_path(conf, fault);
	text_appendf(&line, "%s %s\n", places->fingerprint, places->user);
	int rc = path != NULL
		? names_merge(path, (struct span){ line.bytes, line.len },
			  fault)
		: -1;
	text_free(&line);
	free(path);
	return rc;
}
