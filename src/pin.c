/* SPDX-License-Identifier: Apache-2.0 */
#include "pin.h"

#include "places.h"

#include <string.h>

/* NULL with a fault. */
static const char *
find_certificate(const struct member *member, const char *user,
	struct fault *fault)
{
	const struct roster_entry *entry = roster_first(member_roster(member));
	const char *found = NULL;

	for (; entry != NULL; entry = roster_next(entry)) {
		const struct trust *trust = &entry->trust;

		/* It may be doubtful for its name alone. */
		if (strcmp(entry->user, user) != 0 || !trust->is_trusted)
			continue;
		if (found != NULL && strcmp(found, trust->fingerprint) != 0) {
			fault_set(fault, FAULT_DATA,
				"%s is here with two certificates, %s and %s "
				"(ask who is who, and have one take another "
				"name)",
				user, found, trust->fingerprint);
			return NULL;
		}
		found = trust->fingerprint;
	}
	if (found == NULL)
		fault_set(fault, FAULT_NOINPUT,
			"%s is here without a certificate that is trusted",
			user);
	return found;
}

int
pin_name(struct session *session, const char *name, struct text *told,
	struct fault *fault)
{
	const struct member *member = session_member(session, 0);
	char user[ROOM_USER_MAX + 1], fingerprint[TRUST_FINGERPRINT_MAX];
	const char *borrowed;
	int rc = places_user(member, name, &borrowed, fault);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return fault_set(fault, FAULT_NOINPUT,
			"nobody is here under the name %s", name);
	strcpy(user, borrowed);
	borrowed = find_certificate(member, user, fault);
	if (borrowed == NULL)
		return -1;
	strcpy(fingerprint, borrowed);
	rc = session_pin(session, user, fingerprint, fault);
	if (rc >= 0)
		text_appendf(told, "%s: %s", user, fingerprint);
	return rc;
}
