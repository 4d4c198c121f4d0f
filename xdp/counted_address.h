/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of its addresses a packet is counted under, and how much of them: asked
 * of constants, so that the program of those who want whole sources does not ask.
 */
#ifndef XDP_COUNT_COUNTED_ADDRESS_H
#define XDP_COUNT_COUNTED_ADDRESS_H

#include <linux/bpf.h>
#include <linux/ip.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "config.h"

/* As struct ipv6hdr, but with addresses that are read as words. */
struct ipv6_header {
	__be32 version_class_flow;
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	struct xc_address source;
	struct xc_address destination;
};

static __always_inline __be32 masked_ipv4(__be32 address)
{
	if (config.masks[XC_FAMILY_IPV4].last != 0xffffffff)
		address &= config.masks[XC_FAMILY_IPV4].last;
	return address;
}

static __always_inline void set_ipv4_key(struct xc_key *key, const struct iphdr *ip)
{
	if (config.by == XC_BY_PAIR)
		key->address.first = masked_ipv4(ip->daddr);
	if (config.by == XC_BY_DESTINATION)
		key->address.last = masked_ipv4(ip->daddr);
	else
		key->address.last = masked_ipv4(ip->saddr);
}

static __always_inline __u64 masked_ipv6(__u64 word, __u64 mask)
{
	return mask == ~0ULL ? word : word & mask;
}

static __always_inline void set_masked_ipv6(struct xc_address *masked,
					    const struct xc_address *address)
{
	masked->first = masked_ipv6(address->first, config.masks[XC_FAMILY_IPV6].first);
	masked->last = masked_ipv6(address->last, config.masks[XC_FAMILY_IPV6].last);
}

static __always_inline void set_ipv6_key(struct xc_key *key, const struct ipv6_header *ip)
{
	set_masked_ipv6(&key->address,
			config.by == XC_BY_DESTINATION ? &ip->destination : &ip->source);
	if (config.by == XC_BY_PAIR)
		set_masked_ipv6(&key->peer, &ip->destination);
}

#endif /* XDP_COUNT_COUNTED_ADDRESS_H */
