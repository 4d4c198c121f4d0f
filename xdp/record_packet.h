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

/*
 * What is the same for all tables is one function for all, with "kind" a
 * constant wherever it is used.
 */
struct table_kind {
	enum xc_family family;
	__u32 slots; /* in a bucket, which says what they are: narrow, wide, or of pairs */
};

#define IPV4_ADDRESSES ((struct table_kind){ XC_FAMILY_IPV4, XC_BUCKET_SLOTS })
#define IPV4_PAIRS ((struct table_kind){ XC_FAMILY_IPV4, XC_BUCKET_WIDE_SLOTS })
#define IPV6_ADDRESSES ((struct table_kind){ XC_FAMILY_IPV6, XC_BUCKET_WIDE_SLOTS })
#define IPV6_PAIRS ((struct table_kind){ XC_FAMILY_IPV6, XC_BUCKET_PAIR_SLOTS })

static __always_inline bool is_narrow(struct table_kind kind)
{
	return kind.slots == XC_BUCKET_SLOTS;
}

static __always_inline bool has_peer(struct table_kind kind)
{
	return kind.slots == XC_BUCKET_PAIR_SLOTS;
}

static __always_inline __u32 slot_bytes(struct table_kind kind)
{
	return XC_BUCKET_BYTES / kind.slots;
}

static __always_inline bool is_counted(enum xc_family family)
{
	return config.families & 1U << family;
}

static __always_inline __u64 hot_hash(struct table_kind kind, const struct xc_key *source)
{
	struct xc_address secret;
	__u64 nh;

	if (is_narrow(kind))
		return xc_hash_ipv4(source->address.last, config.hash_multiplier);
	/* Read as volatile: else the compiler would take the secret for the one that is compiled in. */
	secret.first = config.hash_key.address.first;
	secret.last = config.hash_key.address.last;
	nh = xc_nh(&source->address, &secret);
	if (has_peer(kind)) {
		secret.first = config.hash_key.peer.first;
		secret.last = config.hash_key.peer.last;
		nh += xc_nh(&source->peer, &secret);
	}
	return xc_hash_nh(nh, config.hash_multiplier, kind.family);
}

static __always_inline __u64 shared_hash(enum xc_family family, __u64 hash)
{
	return xc_shared_hash(hash, family, config.hash_multiplier);
}

/* The first word of a slot: that of the source, if the slot is the source's. */
static __always_inline __u32 first_word(struct table_kind kind, __u64 hash,
					const struct xc_key *source)
{
	return is_narrow(kind) ? (__u32)source->address.last : xc_tag_of(hash);
}

static __always_inline struct xc_bucket *hot_table(struct xc_cpu_counts *counts,
						   enum xc_family family)
{
	struct xc_bucket *tables = (void *)(counts + 1);
	bool is_second = family == XC_FAMILY_IPV6 && is_counted(XC_FAMILY_IPV4);

	return is_second ? tables + (1ULL << (64 - config.hot_shift)) : tables;
}

static __always_inline void mark_in_use(struct xc_cpu_counts *counts, enum xc_family family,
					__u64 bucket)
{
	bool both = is_counted(XC_FAMILY_IPV4) && is_counted(XC_FAMILY_IPV6);
	__u64 buckets = 1ULL << (64 - config.hot_shift);
	__u64 *in_use = (void *)((struct xc_bucket *)(counts + 1) + (both ? 2 : 1) * buckets);

	if (both && family == XC_FAMILY_IPV6)
		in_use += in_use_lines(buckets) * (XC_BUCKET_BYTES / sizeof(*in_use));
	in_use[bucket / 64] |= 1ULL << (bucket % 64);
}

/* The slot must be neither empty nor full: one comparison says both. */
static __always_inline bool may_count_more(__u32 packets)
{
	return packets - 1 < XC_SLOT_MAX_PACKETS - 1;
}

/* Counts the packet, if the slot is the source's and not full. "pair" may be a narrower one. */
static __always_inline bool count_in_slot(struct xc_pair_slot *pair, struct table_kind kind,
					  __u32 word, const struct xc_key *source, __u64 bytes)
{
	struct xc_slot *slot = (void *)pair;
	__u32 packets = slot->packets;

	if (slot->source != word || !may_count_more(packets))
		return false;
	if (!is_narrow(kind) && !is_same_address(&pair->key.address, &source->address))
		return false;
	if (has_peer(kind) && !is_same_address(&pair->key.peer, &source->peer))
		return false;
	slot->packets = packets + 1;
	slot->bytes += bytes;
	return true;
}

/*
 * Where there is no slot of the source, "free" is the first empty one, or NULL.
 * A slot that is full is passed over as another's is.
 */
static __always_inline bool count_in_bucket(struct xc_bucket *bucket, struct table_kind kind,
					    __u32 word, const struct xc_key *source, __u64 bytes,
					    struct xc_slot **free)
{
	*free = NULL;
#pragma unroll
	for (__u32 i = 0; i < kind.slots; i++) {
		struct xc_slot *slot = (void *)bucket + i * slot_bytes(kind);

		if (count_in_slot((void *)slot, kind, word, source, bytes))
			return true;
		if (slot->packets == 0) {
			*free = slot;
			return false;
		}
	}
	return false;
}

static __always_inline void begin_slot(struct xc_slot *slot, struct table_kind kind, __u32 word,
				       const struct xc_key *source, __u64 bytes)
{
	struct xc_pair_slot *pair = (void *)slot;

	slot->source = word;
	slot->packets = 1;
	slot->bytes = bytes;
	if (!is_narrow(kind))
		pair->key.address = source->address;
	if (has_peer(kind))
		pair->key.peer = source->peer;
}

/*
 * Counts a packet whose source has no slot in its first bucket, or one that is
 * full.
 *
 * Where the buckets have an empty slot the source has no place behind it, since
 * slots are taken in order and emptied all at once. So this is its first packet
 * in this generation on this CPU, or one of a source that is refused a place.
 */
static __always_inline void count_elsewhere(struct xc_cpu_counts *counts, __u32 generation,
					    struct table_kind kind, const struct xc_key *source,
					    __u64 bytes)
{
	struct xc_bucket *table = hot_table(counts, kind.family);
	__u64 hash = hot_hash(kind, source);
	__u64 bucket = hash >> config.hot_shift;
	__u32 word = first_word(kind, hash, source);
	struct xc_slot *free;
	bool is_first;

	if (count_in_bucket(&table[bucket], kind, word, source, bytes, &free))
		return;
	if (!free) {
		bucket ^= 1;
		if (count_in_bucket(&table[bucket], kind, word, source, bytes, &free))
			return;
	}
	if (free) {
		is_first = may_have_slot(generation, shared_hash(kind.family, hash));
		if (is_first) {
			begin_slot(free, kind, word, source, bytes);
			mark_in_use(counts, kind.family, bucket);
		}
	} else {
		int result =
			count_in_spill(generation, shared_hash(kind.family, hash), source, bytes);

		if (result == SPILL_COUNTED)
			return;
		is_first = result == SPILL_FIRST;
	}
	if (!is_first) {
		add_frame(&counts->totals.untracked[kind.family], bytes);
	} else if (config.new_sources) {
		struct xc_source new_source = { .address = source->address,
						.family = kind.family,
						.peer = source->peer };

		report_if_new(counts->events, &new_source);
	}
}

/* These are not inlined, since they are rare and would take registers from the usual path. */
static __noinline void count_ipv4_elsewhere(struct xc_cpu_counts *counts, __u32 generation,
					    __be32 address, __u64 bytes)
{
	struct xc_key source = { .address.last = address };

	count_elsewhere(counts, generation, IPV4_ADDRESSES, &source, bytes);
}

static __noinline void count_ipv4_pair_elsewhere(struct xc_cpu_counts *counts, __u32 generation,
						 __u64 first, __u64 last, __u64 bytes)
{
	struct xc_key pair = { .address = { .first = first, .last = last } };

	count_elsewhere(counts, generation, IPV4_PAIRS, &pair, bytes);
}

static __noinline void count_ipv6_elsewhere(struct xc_cpu_counts *counts, __u32 generation,
					    __u64 first, __u64 last, __u64 bytes)
{
	struct xc_key source = { .address = { .first = first, .last = last } };

	count_elsewhere(counts, generation, IPV6_ADDRESSES, &source, bytes);
}

static __noinline void count_ipv6_pair_elsewhere(struct xc_cpu_counts *counts, __u32 generation,
						 const struct xc_key *pair, __u64 bytes)
{
	count_elsewhere(counts, generation, IPV6_PAIRS, pair, bytes);
}

/* "offset" if the two are equal, or else 0. */
static __always_inline __u64 offset_if_equal(__u32 a, __u32 b, __u64 offset)
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
 * full, or if none has, it may be a wrong one. So it may for the IPv4 address
 * 0.0.0.0, as which empty slots look: of all of IPv4 as one network, packets
 * take the longer way.
 */
static __always_inline bool count_in_computed_slot(struct xc_bucket *bucket, struct table_kind kind,
						   __u32 word, const struct xc_key *source,
						   __u64 bytes)
{
	struct xc_slot *slot = (void *)bucket;
	__u64 offset = 0;

#pragma unroll
	for (__u32 i = 1; i < kind.slots; i++) {
		__u32 at = i * slot_bytes(kind);

		offset |= offset_if_equal(((struct xc_slot *)((void *)bucket + at))->source, word,
					  at);
	}
	/* It is within the bucket already, but the verifier of Linux 6.1 loses sight of that. */
	barrier_var(offset);
	slot = (void *)slot + (offset & (XC_BUCKET_BYTES - slot_bytes(kind)));
	return count_in_slot((void *)slot, kind, word, source, bytes);
}

static __always_inline void record_source(const struct generation *generation,
					  struct table_kind kind, const struct xc_key *source,
					  __u64 bytes)
{
	struct xc_cpu_counts *counts = generation->counts;
	__u64 hash = hot_hash(kind, source);

	if (!is_counted(kind.family) ||
	    (control.guarded && is_refused(generation->index, shared_hash(kind.family, hash)))) {
		add_frame(&counts->totals.untracked[kind.family], bytes);
		return;
	}
	if (count_in_computed_slot(&hot_table(counts, kind.family)[hash >> config.hot_shift], kind,
				   first_word(kind, hash, source), source, bytes))
		return;
	if (is_narrow(kind)) {
		count_ipv4_elsewhere(counts, generation->index, source->address.last, bytes);
	} else if (kind.family == XC_FAMILY_IPV4) {
		count_ipv4_pair_elsewhere(counts, generation->index, source->address.first,
					  source->address.last, bytes);
	} else if (!has_peer(kind)) {
		count_ipv6_elsewhere(counts, generation->index, source->address.first,
				     source->address.last, bytes);
	} else {
		/* A copy, since what a pointer to it is given away of is in no register. */
		struct xc_key pair = *source;

		count_ipv6_pair_elsewhere(counts, generation->index, &pair, bytes);
	}
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
	if (class == XC_CLASS_IPV4) {
		if (config.by == XC_BY_PAIR)
			record_source(generation, IPV4_PAIRS, &frame->key, bytes);
		else
			record_source(generation, IPV4_ADDRESSES, &frame->key, bytes);
	} else if (class == XC_CLASS_IPV6) {
		if (config.by == XC_BY_PAIR)
			record_source(generation, IPV6_PAIRS, &frame->key, bytes);
		else
			record_source(generation, IPV6_ADDRESSES, &frame->key, bytes);
	}
}

#endif /* XDP_COUNT_RECORD_PACKET_H */
