/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_state.h"

#include "json_line.h"

#include <stdio.h>
#include <string.h>

enum { TIE_VERSION_OF_LINES = 1 };

static json_t *
json_seconds_or_null(int64_t seconds)
{
	return seconds >= 0 ? json_line_time(seconds * 1000) : json_null();
}

/* What all lines have. */
static json_t *
begin(const char *type, const struct tie_subject *subject, int64_t wall)
{
	json_t *object = json_object();
	json_t *hashes = json_object();

	json_object_set_new(object, "v", json_integer(TIE_VERSION_OF_LINES));
	json_object_set_new(object, "type", json_string(type));
	json_object_set_new(object, "time", json_line_time(wall));
	json_object_set_new(object, "subject",
		json_string(subject->is_certificate ? "certificate" : "file"));
	json_object_set_new(object, "hash",
		tie_hex(tie_subject_digest(subject)));
	for (size_t i = 0; i < subject->count; i++)
		json_object_set_new(hashes,
			digest_name(subject->digests[i].kind),
			tie_hex(&subject->digests[i]));
	json_object_set_new(object, "hashes", hashes);
	json_object_set_new(object, "public_key",
		subject->has_public_key ? tie_hex(&subject->public_key)
					: json_null());
	json_object_set_new(object, "name",
		subject->name != NULL ? tie_string(subject->name)
				      : json_null());
	return object;
}

static void
end(json_t *object, struct text *line)
{
	json_line_append(object, line);
	text_append_char(line, '\n');
}

static json_t *
json_version(const struct tie_value *value)
{
	struct text version = { 0 };

	tie_append_version(value, &version);
	json_t *json = json_stringn(version.bytes, version.len);
	text_free(&version);
	return json;
}

static json_t *
json_family(const struct tie_family *family)
{
	json_t *object = json_object();

	json_object_set_new(object, "count",
		json_integer((json_int_t)family->count));
	json_object_set_new(object, "min",
		json_integer((json_int_t)family->min));
	json_object_set_new(object, "max",
		json_integer((json_int_t)family->max));
	json_object_set_new(object, "last",
		json_integer((json_int_t)family->last));
	json_object_set_new(object, "average", json_real(family->average));
	return object;
}

static json_t *
json_value(enum tie_form form, const char *raw, const struct tie_value *value)
{
	switch (form) {
	case TIE_TEXT:
		return json_string(raw);
	case TIE_TIME:
		return json_line_time(value->number * 1000);
	case TIE_FLAG:
		return json_boolean(value->number != 0);
	case TIE_VERSION:
		return json_version(value);
	case TIE_FAMILY:
		return json_family(&value->family);
	default:
		return json_integer(value->number);
	}
}

/* What is not known, or not as it should be, stands under its number, as it
 * came. */
static json_t *
json_attributes(const struct tie_reputation *reputation)
{
	json_t *object = json_object();

	for (size_t i = 0; i < reputation->count; i++) {
		const struct tie_attribute *at = &reputation->attributes[i];
		const struct tie_meaning *meaning = tie_meaning(at->id);
		struct tie_value value;
		char number[24];

		if (meaning != NULL &&
			tie_value_parse(meaning->form, at->value, &value) ==
				0) {
			json_object_set_new(object, meaning->key,
				json_value(meaning->form, at->value, &value));
			continue;
		}
		snprintf(number, sizeof(number), "%lld", (long long)at->id);
		json_object_set_new(object, number, json_string(at->value));
	}
	return object;
}

static json_t *
json_reputations(const struct tie_reputations *reputations)
{
	json_t *list = json_array();

	for (size_t i = 0; reputations != NULL && i < reputations->count; i++) {
		const struct tie_reputation *one = &reputations->items[i];
		const char *key = tie_provider_key(one->provider);
		json_t *object = json_object();

		json_object_set_new(object, "provider",
			key != NULL ? json_string(key) : json_null());
		json_object_set_new(object, "provider_id",
			json_integer(one->provider));
		json_object_set_new(object, "trust", json_integer(one->trust));
		json_object_set_new(object, "level",
			json_string(tie_trust_word(one->trust)));
		json_object_set_new(object, "created",
			json_seconds_or_null(one->created));
		json_object_set_new(object, "attributes", json_attributes(one));
		json_array_append_new(list, object);
	}
	return list;
}

void
tie_json_reputations(const struct tie_subject *subject,
	const struct tie_reputations *reputations, int64_t wall,
	struct text *line)
{
	json_t *object = begin("reputation", subject, wall);

	json_object_set_new(object, "known",
		json_boolean(reputations != NULL && tie_is_known(reputations)));
	json_object_set_new(object, "reputations",
		json_reputations(reputations));
	end(object, line);
}

void
tie_json_agents(const struct tie_subject *subject,
	const struct tie_agents *agents, int64_t wall, struct text *line)
{
	json_t *object = begin("agents", subject, wall);
	json_t *list = json_array();

	for (size_t i = 0; i < agents->count; i++) {
		json_t *agent = json_object();

		json_object_set_new(agent, "guid",
			json_string(agents->items[i].guid));
		json_object_set_new(agent, "first",
			json_seconds_or_null(agents->items[i].date));
		json_array_append_new(list, agent);
	}
	json_object_set_new(object, "agents", list);
	json_object_set_new(object, "total", json_integer(agents->total));
	end(object, line);
}

void
tie_json_change(const struct tie_change *change, int64_t wall,
	struct text *line)
{
	json_t *object = begin("change", &change->subject, wall);

	json_object_set_new(object, "updated",
		json_seconds_or_null(change->time));
	json_object_set_new(object, "before",
		json_reputations(&change->before));
	json_object_set_new(object, "after", json_reputations(&change->after));
	end(object, line);
}

void
tie_json_set(const struct tie_subject *subject, int64_t trust, int64_t wall,
	struct text *line)
{
	json_t *object = begin("set", subject, wall);

	json_object_set_new(object, "trust", json_integer(trust));
	json_object_set_new(object, "level",
		json_string(tie_trust_word(trust)));
	end(object, line);
}
