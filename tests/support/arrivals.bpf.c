// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts on the receiving end of a veth pair what its XDP program has let pass,
 * right behind it and independently of it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "arrivals.h"
#include "live_frames.h"

/* Set before load. */
const volatile __u32 of_destinations = 0; /* 1: these are looked at, else sources are */

__u64 frames = 0;
__u64 marked_frames = 0;
__u64 marked[ARRIVALS_MOST_MARKED] = {};

#define NOT_MARKED (~0U)

static __always_inline __u32 index_of_ipv4(const struct iphdr *ip)
{
	__u32 address = bpf_ntohl(of_destinations ? ip->daddr : ip->saddr);

	if ((address & LF_MARKED_MASK) != LF_MARKED_FIRST)
		return NOT_MARKED;
	return address & ~LF_MARKED_MASK;
}

static __always_inline __u32 index_of_ipv6(const struct ipv6hdr *ip)
{
	const struct in6_addr *address = of_destinations ? &ip->daddr : &ip->saddr;
	const __be32 *words = address->in6_u.u6_addr32;
	__u32 last = bpf_ntohl(words[3]);

	if (words[0] != bpf_htonl(LF_MARKED_IPV6_FIRST) || words[1] || words[2] ||
	    last >= LF_MARKED_SOURCES)
		return NOT_MARKED;
	return last;
}

SEC("tc")
int count_arrival(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;
	struct iphdr *ipv4 = data + sizeof(struct ethhdr);
	struct ipv6hdr *ipv6 = data + sizeof(struct ethhdr);
	__u64 position = __sync_fetch_and_add(&frames, 1);
	__u32 index = NOT_MARKED;
	__u64 entry;

	if (skb->protocol == bpf_htons(ETH_P_IP) && (void *)(ipv4 + 1) <= data_end)
		index = index_of_ipv4(ipv4);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6) && (void *)(ipv6 + 1) <= data_end)
		index = index_of_ipv6(ipv6);
	if (index == NOT_MARKED)
		return TC_ACT_OK;
	entry = __sync_fetch_and_add(&marked_frames, 1);
	if (entry < ARRIVALS_MOST_MARKED)
		marked[entry] = position * LF_MARKED_SOURCES + index;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
