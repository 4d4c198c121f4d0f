/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The counting, behind two functions: open the active generation, and record a
 * frame in it. Nothing outside of this file knows in which tables a source is
 * counted.
 */
#ifndef XDP_COUNT_RECORD_PACKET_H
#define XDP_COUNT_RECORD_PACKET_H

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "config.h"
#include "count_maps.h"
#include "events.h"
#include "spill.h"

struct generation {
	__u32 index; /* 0 or 1 */
	struct xc_cpu_counts *counts; /* of this CPU: no other run writes there meanwhile */
};

static __always_inline void add_frame(struct xc_counts *counts, __u64 bytes)
{
	counts->packets++;
	counts->bytes += bytes;
}

/*
 * The word is read once and decides for the whole run: that is what makes a
 * generation quiet as soon as the runs that began before a swap have ended.
 */
static __always_inline struct generation open_active_generation(void)
{
	struct generation generation = { .index = control.active_generation & 1 };
	__u32 entry = bpf_get_smp_processor_id() * XC_GENERATIONS + generation.index;

	generation.counts = bpf_map_lookup_elem(&cpu_counts, &entry);
	return generation;
}

static __always_inline void mark_in_use(struct xc_bucket *table, __u64 bucket)
{
	__u64 *in_use = (void *)(table + (1ULL << (64 - config.hot_shift)));

	in_use[bucket / 64] |= 1ULL << (bucket % 64);
}

/*
 * Where there is no slot of the source, "free" is the first empty one, or NULL.
 * A slot that is full is passed over as another's is.
 */
static __always_inline bool count_in_bucket(struct xc_bucket *bucket, __be32 source, __u64 bytes,
					    struct xc_slot **free)
{
	*free = NULL;
#pragma unroll
	for (int i = 0; i < XC_BUCKET_SLOTS; i++) {
		struct xc_slot *slot = &bucket->slots[i];
		__u32 packets = slot->packets;

		/* The slot must be neither empty nor full: one comparison says both. */
		if (slot->source == source && packets - 1 < XC_SLOT_MAX_PACKETS - 1) {
			slot->packets = packets + 1;
			slot->bytes += bytes;
			return true;
		}
		if (packets == 0) {
			*free = slot;
			return false;
		}
	}
	return false;
}

/*
 * The first packet of a source in this generation on this CPU, as is each one
 * of a source that is refused a place. Where its buckets have an empty slot it
 * is in no place behind: slots are taken in order, and are emptied all at once.
 */
static __always_inline bool find_place(const struct generation *generation, struct xc_bucket *table,
				       __u64 bucket, struct xc_slot *free, __be32 source,
				       __u64 bytes)
{
	if (!may_have_slot(generation->index, source))
		return false;
	free->source = source;
	free->packets = 1;
	free->bytes = bytes;
	mark_in_use(table, bucket);
	return true;
}

static __always_inline void record_source(const struct generation *generation, __be32 source,
					  __u64 bytes)
{
	struct xc_cpu_counts *counts = generation->counts;
	struct xc_bucket *table = (void *)(counts + 1);
	__u64 bucket = xc_hash_source(source, config.hash_multiplier) >> config.hot_shift;
	struct xc_slot *free;
	bool is_first;

	if (control.guarded && is_refused(generation->index, source)) {
		add_frame(&counts->totals.untracked, bytes);
		return;
	}
	if (count_in_bucket(&table[bucket], source, bytes, &free))
		return;
	if (!free) {
		bucket ^= 1;
		if (count_in_bucket(&table[bucket], source, bytes, &free))
			return;
	}
	if (free) {
		is_first = find_place(generation, table, bucket, free, source, bytes);
	} else {
		int result = count_in_spill(generation->index, source, bytes);

		if (result == SPILL_COUNTED)
			return;
		is_first = result == SPILL_FIRST;
	}
	if (!is_first)
		add_frame(&counts->totals.untracked, bytes);
	else if (config.new_sources)
		report_if_new(counts->events, source);
}

static __always_inline void record_frame(const struct generation *generation,
					 const struct parsed_frame *frame, __u64 bytes)
{
	/*
	 * It is unsigned and bounded, so that the verifier knows the access stays within
	 * "classes".
	 */
	__u32 class = frame->class;

	add_frame(&generation->counts->totals.frames, bytes);
	if (class < XC_CLASSES)
		add_frame(&generation->counts->totals.classes[class], bytes);
	if (class == XC_CLASS_IPV4)
		record_source(generation, frame->source, bytes);
}

#endif /* XDP_COUNT_RECORD_PACKET_H */
