/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The spill tier: one table a generation that all CPUs write, for sources that
 * find no slot in a CPU's own.
 */
#ifndef XDP_COUNT_SPILL_H
#define XDP_COUNT_SPILL_H

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "admission.h"
#include "config.h"
#include "count_maps.h"

/* This is so far from the last value of 32 bits that all CPUs together do not get there unseen. */
#define SPILL_SLOT_MAX_PACKETS 0x80000000U

/* Slots there are wide, or wide ones with a peer. */
static __always_inline bool spill_has_peers(void)
{
	return config.by == XC_BY_PAIR && config.families & 1U << XC_FAMILY_IPV6;
}

static __always_inline __u64 spill_slot_bytes(void)
{
	return spill_has_peers() ? sizeof(struct xc_pair_slot) : sizeof(struct xc_wide_slot);
}

static __always_inline bool is_same_address(const struct xc_address *a, const struct xc_address *b)
{
	return a->first == b->first && a->last == b->last;
}

/*
 * Makes an empty slot the source's, with its first packet. False: somebody else
 * was faster. Until the tag is there nobody else takes the slot for a source's;
 * who sees it before the address takes another slot, and both are added up.
 */
static __always_inline bool claim_slot(struct xc_wide_slot *slot, xc_tag tag,
				       const struct xc_key *source)
{
	if (__sync_val_compare_and_swap(&slot->packets, 0, 1) != 0)
		return false;
	slot->address = source->address;
	if (spill_has_peers())
		((struct xc_pair_slot *)slot)->key.peer = source->peer;
	__sync_fetch_and_add(&slot->tag, tag);
	return true;
}

/*
 * What became of the packet. Not inlined, and verified on its own: it is rare,
 * and so leaves the usual path its registers.
 */
enum spill_result { SPILL_REFUSED, SPILL_COUNTED, SPILL_FIRST };

struct spill_walk {
	void *table;
	/* In bytes from there: */
	__u64 first; /* slot of the source's bucket */
	__u64 last; /* slot of the table, whose bits are those of any slot's place */
};

#define XC_SPILL_WALK_BYTES (XC_SPILL_PROBES * XC_BUCKET_BYTES)

static __always_inline struct xc_wide_slot *spill_slot(const struct spill_walk *walk, __u32 walked)
{
	return walk->table + ((walk->first + walked) & walk->last);
}

static __always_inline void mark_spill_in_use(struct xc_spill *head, const struct spill_walk *walk,
					      __u32 walked)
{
	__u64 bucket = ((walk->first + walked) & walk->last) / XC_BUCKET_BYTES;
	__u64 *in_use = (void *)(head + 1);

	__sync_fetch_and_or(&in_use[bucket / 64], 1ULL << (bucket % 64));
}

static __always_inline bool count_in_spill_slot(struct xc_wide_slot *slot, xc_tag tag,
						const struct xc_key *source, __u64 bytes)
{
	if (*(volatile xc_tag *)&slot->tag != tag ||
	    !is_same_address(&slot->address, &source->address) ||
	    *(volatile __u32 *)&slot->packets >= SPILL_SLOT_MAX_PACKETS)
		return false;
	if (spill_has_peers() &&
	    !is_same_address(&((struct xc_pair_slot *)slot)->key.peer, &source->peer))
		return false;
	__sync_fetch_and_add(&slot->packets, 1);
	__sync_fetch_and_add(&slot->bytes, bytes);
	return true;
}

/*
 * Two CPUs that meet a source at once may each take a slot for it, which is
 * fine: all slots of a source are added up. The way to a free slot is gone
 * twice, since the verifier follows two plain loops with a hundredth of the
 * effort that one takes which also asks whether the source may have the slot.
 */
__noinline int count_in_spill(__u32 generation, __u64 hash, const struct xc_key *source,
			      __u64 bytes)
{
	/* Four times as many slots as sources. */
	__u64 table_bytes = spill_slot_bytes() << (66 - config.sources_shift);
	xc_tag tag = xc_tag_of(hash);
	__u32 key = generation & 1;
	struct xc_spill *head = bpf_map_lookup_elem(&spill, &key);
	struct spill_walk walk;
	bool is_room = false;

	if (!head || !source)
		return SPILL_REFUSED;
	walk.table = (struct xc_bucket *)(head + 1) + in_use_lines(table_bytes / XC_BUCKET_BYTES);
	walk.first = ((hash >> (config.sources_shift - 2)) * spill_slot_bytes()) & -XC_BUCKET_BYTES;
	walk.last = table_bytes - spill_slot_bytes();
	for (__u32 walked = 0; walked < XC_SPILL_WALK_BYTES; walked += spill_slot_bytes()) {
		struct xc_wide_slot *slot = spill_slot(&walk, walked);

		if (count_in_spill_slot(slot, tag, source, bytes))
			return SPILL_COUNTED;
		if (*(volatile __u32 *)&slot->packets == 0) {
			is_room = true;
			break;
		}
	}
	if (!is_room || !admit(generation, head, hash))
		return SPILL_REFUSED;
	for (__u32 walked = 0; walked < XC_SPILL_WALK_BYTES; walked += spill_slot_bytes()) {
		struct xc_wide_slot *slot = spill_slot(&walk, walked);

		if (*(volatile __u32 *)&slot->packets == 0 && claim_slot(slot, tag, source)) {
			__sync_fetch_and_add(&slot->bytes, bytes);
			mark_spill_in_use(head, &walk, walked);
			return SPILL_FIRST;
		}
		/* Another CPU may have claimed it for the same source. */
		if (count_in_spill_slot(slot, tag, source, bytes))
			return SPILL_COUNTED;
	}
	return SPILL_REFUSED;
}

/* Whether a source that has no slot yet on this CPU, where there is one, may have it. */
__noinline int may_have_slot(__u32 generation, __u64 hash)
{
	__u32 key = generation & 1;
	struct xc_spill *head = bpf_map_lookup_elem(&spill, &key);

	return head && admit(generation, head, hash);
}

#endif /* XDP_COUNT_SPILL_H */
