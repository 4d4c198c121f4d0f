// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts on the receiving end of a veth pair what its XDP program has let pass,
 * right behind it and independently of it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "arrivals.h"
#include "live_frames.h"

__u64 frames = 0;
__u64 marked_frames = 0;
__u64 marked[ARRIVALS_MOST_MARKED] = {};

SEC("tc")
int count_arrival(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u64 position = __sync_fetch_and_add(&frames, 1);
	__u64 entry;
	__u32 source;

	if (skb->protocol != bpf_htons(ETH_P_IP) || (void *)(ip + 1) > data_end)
		return TC_ACT_OK;
	source = bpf_ntohl(ip->saddr);
	if ((source & LF_MARKED_MASK) != LF_MARKED_FIRST)
		return TC_ACT_OK;
	entry = __sync_fetch_and_add(&marked_frames, 1);
	if (entry < ARRIVALS_MOST_MARKED)
		marked[entry] = position * LF_MARKED_SOURCES + (source & ~LF_MARKED_MASK);
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
