/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The counting, behind two functions: open the active generation, and record a
 * frame in it. Nothing outside of this file knows in which tables a source is
 * counted.
 */
#ifndef XDP_COUNT_RECORD_PACKET_H
#define XDP_COUNT_RECORD_PACKET_H

#include <asm-generic/errno-base.h>
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "config.h"
#include "count_maps.h"
#include "events.h"

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
	struct generation generation = { .index = active_generation & 1 };
	__u32 entry = bpf_get_smp_processor_id() * XC_GENERATIONS + generation.index;

	generation.counts = bpf_map_lookup_elem(&cpu_counts, &entry);
	return generation;
}

/*
 * The multiplier is drawn at random at load, so that nobody can choose sources
 * that share a bucket; and if many do, two cache lines are looked at and no
 * more. Multiplied twice: once spreads the addresses of one network unevenly,
 * for some multipliers badly.
 */
static __always_inline __u64 hot_bucket_of(__be32 source)
{
	__u64 multiplier = config.hash_multiplier; /* volatile: each use would be a load */
	__u64 hash = source * multiplier;

	hash ^= hash >> 32;
	return (hash * multiplier) >> config.hot_shift;
}

static __always_inline void mark_in_use(struct xc_hot_bucket *table, __u64 bucket)
{
	__u64 *in_use = (void *)(table + (1ULL << (64 - config.hot_shift)));

	in_use[bucket / 64] |= 1ULL << (bucket % 64);
}

/*
 * Like the other functions that count a source in a table, sets "is_first" when
 * that place had none of it. A slot that is full is passed over as another's is.
 */
static __always_inline bool count_in_bucket(struct xc_hot_bucket *table, __u64 bucket,
					    __be32 source, __u64 bytes, bool *is_first)
{
#pragma unroll
	for (int i = 0; i < XC_HOT_BUCKET_SLOTS; i++) {
		struct xc_hot_slot *slot = &table[bucket].slots[i];
		__u32 packets = slot->packets;

		/* Neither empty nor full: one comparison for both. */
		if (slot->source == source && packets - 1 < XC_HOT_MAX_PACKETS - 1) {
			slot->packets = packets + 1;
			slot->bytes += bytes;
			return true;
		}
		if (packets == 0) {
			slot->source = source;
			slot->packets = 1;
			slot->bytes = bytes;
			if (i == 0)
				mark_in_use(table, bucket);
			*is_first = true;
			return true;
		}
	}
	return false;
}

static __always_inline bool count_in_hot(struct xc_cpu_counts *counts, __be32 source, __u64 bytes,
					 bool *is_first)
{
	struct xc_hot_bucket *table = (void *)(counts + 1);
	__u64 bucket = hot_bucket_of(source);

	return count_in_bucket(table, bucket, source, bytes, is_first) ||
	       count_in_bucket(table, bucket ^ 1, source, bytes, is_first);
}

/* False when the source has no place: the table is full or the kernel was busy. */
static __always_inline bool count_in_spill(__u32 generation, __be32 source, __u64 bytes,
					   bool *is_first)
{
	void *spill = generation ? (void *)&spill_1 : (void *)&spill_0;
	struct xc_counts *counts = bpf_map_lookup_elem(spill, &source);

	if (!counts) {
		struct xc_counts first = { .packets = 1, .bytes = bytes };
		int err = bpf_map_update_elem(spill, &source, &first, BPF_NOEXIST);

		*is_first = !err;
		if (err != -EEXIST)
			return !err;
		/* Another CPU met the same new source between the look-up and the update. */
		counts = bpf_map_lookup_elem(spill, &source);
		if (!counts)
			return false;
	}
	add_frame(counts, bytes);
	return true;
}

static __always_inline void record_source(const struct generation *generation, __be32 source,
					  __u64 bytes)
{
	struct xc_cpu_counts *counts = generation->counts;
	bool is_first = false; /* of the source in this generation, on this CPU or on any */

	if (!count_in_hot(counts, source, bytes, &is_first) &&
	    !count_in_spill(generation->index, source, bytes, &is_first))
		add_frame(&counts->totals.untracked, bytes);
	else if (config.new_sources && is_first)
		tell_if_new(counts->events, source);
}

static __always_inline void record_frame(const struct generation *generation,
					 const struct parsed_frame *frame, __u64 bytes)
{
	/* Unsigned and bounded, so that the verifier knows the access stays within "classes". */
	__u32 class = frame->class;

	add_frame(&generation->counts->totals.frames, bytes);
	if (class < XC_CLASSES)
		add_frame(&generation->counts->totals.classes[class], bytes);
	if (class == XC_CLASS_IPV4)
		record_source(generation, frame->source, bytes);
}

#endif /* XDP_COUNT_RECORD_PACKET_H */
