/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a source belongs in the tables that the XDP program and the agent both
 * look into: both must come to the same place.
 */
#ifndef XDP_COUNT_SOURCE_HASH_H
#define XDP_COUNT_SOURCE_HASH_H

#include <linux/types.h>

#include <xdp_count/shared_types.h>

/*
 * The multiplier is drawn at random at load, so that nobody can choose sources
 * that share a place. Multiplied twice: once spreads the addresses of one
 * network unevenly, for some multipliers badly. The high bits are to be used.
 */
static inline __attribute__((always_inline)) __u64 xc_mix(__u64 hash, __u64 multiplier)
{
	hash ^= hash >> 32;
	return hash * multiplier;
}

static inline __attribute__((always_inline)) __u64 xc_hash_ipv4(__be32 source, __u64 multiplier)
{
	return xc_mix(source * multiplier, multiplier);
}

/*
 * NH of UMAC (RFC 4418, 5.2) makes 64 bits of 128: with a key that is not
 * known, two addresses are as good as never made alike, however they are
 * chosen. So are two pairs by the sum over both their addresses.
 */
static inline __attribute__((always_inline)) __u64 xc_nh(const struct xc_address *address,
							 const struct xc_address *key)
{
	__u64 low = 0xffffffff;
	__u64 a = (address->first + key->first) & low;
	__u64 b = ((address->first >> 32) + (key->first >> 32)) & low;
	__u64 c = (address->last + key->last) & low;
	__u64 d = ((address->last >> 32) + (key->last >> 32)) & low;

	return a * b + c * d;
}

/* "nh" is xc_nh() of what is hashed. Ends with the family. */
static inline __attribute__((always_inline)) __u64 xc_hash_nh(__u64 nh, __u64 multiplier,
							      enum xc_family family)
{
	return (xc_mix(nh * multiplier, multiplier) & ~1ULL) | family;
}

/*
 * The hash for the tables that all CPUs share, out of that for a hot table:
 * sources that share a bucket there do not share all places here too. It ends
 * with the family.
 */
static inline __attribute__((always_inline)) __u64 xc_shared_hash(__u64 hash, enum xc_family family,
								  __u64 multiplier)
{
	return (xc_mix(hash, multiplier) & ~1ULL) | family;
}

/* "hash" is a shared hash, or ends with the family as one does. */
static inline __attribute__((always_inline)) xc_tag xc_tag_of(__u64 hash)
{
	return (hash & 0xffffffff) | 2;
}

/* The bits of a source in its word of the filter, which the highest bits of the hash choose. */
static inline __attribute__((always_inline)) __u64 xc_filter_bits(__u64 hash)
{
	return 1ULL << (hash >> 20 & 63) | 1ULL << (hash >> 26 & 63);
}

#endif /* XDP_COUNT_SOURCE_HASH_H */
