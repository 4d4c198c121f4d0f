/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of its addresses a packet is counted under, and how much of it: asked of
 * constants, so that the program of those who want whole sources does not ask.
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

static __always_inline __be32 counted_ipv4_address(const struct iphdr *ip)
{
	__be32 address;

	if (config.by == XC_BY_DESTINATION)
		address = ip->daddr;
	else
		address = ip->saddr;
	if (config.masks[XC_FAMILY_IPV4].last != 0xffffffff)
		address &= config.masks[XC_FAMILY_IPV4].last;
	return address;
}

static __always_inline struct xc_address counted_ipv6_address(const struct ipv6_header *ip)
{
	struct xc_address address;

	if (config.by == XC_BY_DESTINATION)
		address = ip->destination;
	else
		address = ip->source;
	if (config.masks[XC_FAMILY_IPV6].first != ~0ULL)
		address.first &= config.masks[XC_FAMILY_IPV6].first;
	if (config.masks[XC_FAMILY_IPV6].last != ~0ULL)
		address.last &= config.masks[XC_FAMILY_IPV6].last;
	return address;
}

#endif /* XDP_COUNT_COUNTED_ADDRESS_H */
