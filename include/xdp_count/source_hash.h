/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a source belongs in the tables that the XDP program and the agent both
 * look into: both must come to the same place.
 */
#ifndef XDP_COUNT_SOURCE_HASH_H
#define XDP_COUNT_SOURCE_HASH_H

#include <linux/types.h>

/*
 * The multiplier is drawn at random at load, so that nobody can choose sources
 * that share a place. Multiplied twice: once spreads the addresses of one
 * network unevenly, for some multipliers badly. The high bits are to be used.
 */
static inline __attribute__((always_inline)) __u64 xc_hash_source(__be32 source, __u64 multiplier)
{
	__u64 hash = source * multiplier;

	hash ^= hash >> 32;
	return hash * multiplier;
}

/* Another hash of the same source, for another table. */
static inline __attribute__((always_inline)) __u64 xc_rehash(__u64 hash, __u64 multiplier)
{
	hash ^= hash >> 32;
	return hash * multiplier;
}

/*
 * The hash for the tables that all CPUs share: sources that share a bucket of a
 * hot table do not share all places here too.
 */
static inline __attribute__((always_inline)) __u64 xc_shared_hash(__be32 source, __u64 multiplier)
{
	return xc_rehash(xc_hash_source(source, multiplier), multiplier);
}

/* The bits of a source in its word of the filter, which the highest bits of the hash choose. */
static inline __attribute__((always_inline)) __u64 xc_filter_bits(__u64 hash)
{
	return 1ULL << (hash >> 20 & 63) | 1ULL << (hash >> 26 & 63);
}

#endif /* XDP_COUNT_SOURCE_HASH_H */
