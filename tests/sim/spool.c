/* SPDX-License-Identifier: Apache-2.0 */
#include "spool.h"

#include <assert.h>
#include <inttypes.h>

static void
clear(struct world *world)
{
	for (int i = 0; i < world->spool_count; i++)
		text_free(&world->spool[i].envelope);
	world->spool_count = 0;
}

static void
add(struct node *node, const struct member_kept *kept)
{
	struct world *world = node->world;
	struct node *sender = node_of_uid(world, span_of(kept->uid));

	if (sender == NULL || node_post(sender, kept->first) == NULL) {
		world_break(world, PROMISE_PROOF,
			"%s keeps what nobody has said", node->name);
		return;
	}
	assert(world->spool_count < SPOOL_MAX);
	struct spooled *spooled = &world->spool[world->spool_count++];
	spooled->sender = sender->index;
	spooled->post = sender->post_of[kept->first];
	text_append(&spooled->envelope, kept->envelope.bytes,
		kept->envelope.len);
	world_trace(world, "%s  spools %s:%" PRId64 "-%" PRId64, node->name,
		sender->name, kept->first, kept->last);
}

void
spool_keep(struct node *node)
{
	struct world *world = node->world;

	if (node->kind == NODE_FLUSH)
		clear(world);
	for (size_t i = 0; i < member_unproved(node->member); i++) {
		struct member_kept kept = member_unproved_at(node->member, i);

		add(node, &kept);
		world_see(world, SEEN_SPOOLED);
	}
}

void
spool_take(struct node *node)
{
	struct world *world = node->world;
	struct fault fault;

	for (int i = 0; i < world->spool_count; i++) {
		struct spooled *spooled = &world->spool[i];
		struct span envelope = { spooled->envelope.bytes,
			spooled->envelope.len };

		node->resent[node->resent_count++] = (struct resent){
			spooled->sender, spooled->post, false
		};
		if (member_resend(node->member, envelope, false, node_now(node),
			    &fault) < 0)
			world_break(world, PROMISE_PROOF,
				"%s: a spooled message is refused: %s",
				node->name, fault.text);
	}
}
