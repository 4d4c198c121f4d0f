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

/* The slot must be neither empty nor full: one comparison says both. */
static __always_inline bool may_count_more(__u32 packets)
{
	return packets - 1 < XC_SLOT_MAX_PACKETS - 1;
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

		if (slot->source == source && may_count_more(packets)) {
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
static __always_inline bool find_place(__u32 generation, struct xc_bucket *table, __u64 bucket,
				       struct xc_slot *free, __be32 source, __u64 bytes)
{
	if (!may_have_slot(generation, source))
		return false;
	free->source = source;
	free->packets = 1;
	free->bytes = bytes;
	mark_in_use(table, bucket);
	return true;
}

static __always_inline __u64 bucket_of(__be32 source)
{
	return xc_hash_source(source, config.hash_multiplier) >> config.hot_shift;
}

/*
 * Counts a packet whose source has no slot in its first bucket, or one that is
 * full. Not inlined, since it is rare and would take registers from the usual
 * path.
 */
static __noinline void count_elsewhere(struct xc_cpu_counts *counts, __u32 generation,
				       __be32 source, __u64 bytes)
{
	struct xc_bucket *table = (void *)(counts + 1);
	__u64 bucket = bucket_of(source);
	struct xc_slot *free;
	bool is_first;

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
		int result = count_in_spill(generation, source, bytes);

		if (result == SPILL_COUNTED)
			return;
		is_first = result == SPILL_FIRST;
	}
	if (!is_first)
		add_frame(&counts->totals.untracked, bytes);
	else if (config.new_sources)
		report_if_new(counts->events, source);
}

/* "offset" if the two are equal, or else 0. */
static __always_inline __u64 offset_if_equal(__be32 a, __be32 b, __u64 offset)
{
	__u64 difference = a ^ b;

	/* Else the compiler would make a branch of it. */
	barrier_var(difference);
	return (__s64)(difference - 1) >> 63 & offset;
}

/*
 * Where a source is in its bucket is up to chance, so a branch for each slot
 * would often be mispredicted, and the processor could not begin with the next
 * packet before this one's slot has come from memory. So the slot is computed,
 * and then looked at. If several slots have the source, which is so when one is
 * full, or if none has, it may be a wrong one.
 */
static __always_inline bool count_in_computed_slot(struct xc_bucket *bucket, __be32 source,
						   __u64 bytes)
{
	struct xc_slot *slot = bucket->slots;
	__u64 offset = 0;
	__u32 packets;

#pragma unroll
	for (int i = 1; i < XC_BUCKET_SLOTS; i++)
		offset |= offset_if_equal(slot[i].source, source, i * sizeof(*slot));
	/* It is within the bucket already, but the verifier of Linux 6.1 loses sight of that. */
	barrier_var(offset);
	slot = (void *)slot + (offset & (XC_BUCKET_SLOTS - 1) * sizeof(*slot));
	packets = slot->packets;
	if (slot->source != source || !may_count_more(packets))
		return false;
	slot->packets = packets + 1;
	slot->bytes += bytes;
	return true;
}

static __always_inline void record_source(const struct generation *generation, __be32 source,
					  __u64 bytes)
{
	struct xc_cpu_counts *counts = generation->counts;
	struct xc_bucket *table = (void *)(counts + 1);

	if (control.guarded && is_refused(generation->index, source)) {
		add_frame(&counts->totals.untracked, bytes);
		return;
	}
	if (!count_in_computed_slot(&table[bucket_of(source)], source, bytes))
		count_elsewhere(counts, generation->index, source, bytes);
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
