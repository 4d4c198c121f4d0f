/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the class of a frame and, for IPv4, its source.
 */
#ifndef XDP_COUNT_PACKET_PARSING_H
#define XDP_COUNT_PACKET_PARSING_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

/* QinQ before IEEE 802.1ad; linux/if_ether.h names it ETH_P_QINQ1. */
#define XC_ETH_P_QINQ_OLD 0x9100
#define XC_IPV4_VERSION 4
#define XC_IPV6_VERSION 6
#define XC_IPV4_MIN_IHL 5
#define XC_IPV4_MAX_TOTAL_LENGTH 65535

struct vlan_tag {
	__be16 tci;
	__be16 encapsulated_eth_type;
};

struct parsed_frame {
	enum xc_class class;
	__be32 source; /* network byte order; set for XC_CLASS_IPV4 alone */
};

/*
 * A pointer to "size" bytes at "offset" of the frame, or NULL when the frame
 * ends before. Drivers that split headers from payload, and multi-buffer
 * frames with a short first buffer, leave a header outside of what may be
 * read in place: then it is copied to "copy".
 */
static __always_inline const void *header_at(struct xdp_md *ctx, __u32 offset, __u32 size,
					     void *copy)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;

	if (data + offset + size <= data_end)
		return data + offset;
	return bpf_xdp_load_bytes(ctx, offset, copy, size) ? NULL : copy;
}

static __always_inline bool is_vlan_tag(__be16 eth_type)
{
	return eth_type == bpf_htons(ETH_P_8021Q) || eth_type == bpf_htons(ETH_P_8021AD) ||
	       eth_type == bpf_htons(XC_ETH_P_QINQ_OLD);
}

/*
 * Refuses what ip_rcv_core() of net/ipv4/ip_input.c refuses, checksums aside,
 * whose cost is not ours to pay: an address from a packet that the stack would
 * throw away says nothing about its sender.
 */
static __always_inline enum xc_class parse_ipv4(struct xdp_md *ctx, __u32 offset, __u64 frame_bytes,
						__be32 *source)
{
	struct iphdr copy;
	const struct iphdr *ip = header_at(ctx, offset, sizeof(*ip), &copy);
	__u64 ip_bytes = frame_bytes - offset;
	__u32 header_bytes, total_length;

	if (!ip || ip->version != XC_IPV4_VERSION || ip->ihl < XC_IPV4_MIN_IHL)
		return XC_CLASS_MALFORMED;

	header_bytes = ip->ihl * 4;
	total_length = bpf_ntohs(ip->tot_len);
	/* BIG TCP: a length that 16 bits cannot hold is written as 0. */
	if (total_length == 0 && frame_bytes > XC_IPV4_MAX_TOTAL_LENGTH)
		total_length = ip_bytes;
	if (total_length < header_bytes || total_length > ip_bytes)
		return XC_CLASS_MALFORMED;

	*source = ip->saddr;
	return XC_CLASS_IPV4;
}

static __always_inline enum xc_class parse_ethernet(struct xdp_md *ctx, __u64 frame_bytes,
						    __be32 *source)
{
	struct ethhdr eth_copy;
	const struct ethhdr *eth = header_at(ctx, 0, sizeof(*eth), &eth_copy);
	__u32 offset = sizeof(*eth);
	__be16 eth_type;

	if (!eth)
		return XC_CLASS_OTHER;
	eth_type = eth->h_proto;

	/*
	 * The loop is unrolled, so that "offset" is a constant in each step and bounds checks
	 * are cheap.
	 */
#pragma unroll
	for (int i = 0; i < XC_MAX_VLAN_TAGS; i++) {
		struct vlan_tag tag_copy;
		const struct vlan_tag *tag;

		if (!is_vlan_tag(eth_type))
			break;
		tag = header_at(ctx, offset, sizeof(*tag), &tag_copy);
		if (!tag)
			return XC_CLASS_OTHER;
		eth_type = tag->encapsulated_eth_type;
		offset += sizeof(*tag);
	}

	switch (eth_type) {
	case bpf_htons(ETH_P_IP):
		return parse_ipv4(ctx, offset, frame_bytes, source);
	case bpf_htons(ETH_P_IPV6):
		return XC_CLASS_IPV6;
	case bpf_htons(ETH_P_ARP):
		return XC_CLASS_ARP;
	default:
		return XC_CLASS_OTHER;
	}
}

/* On tun, WireGuard, ipip and the like a frame has no link-layer header: its first bits name it. */
static __always_inline enum xc_class parse_without_link_header(struct xdp_md *ctx,
							       __u64 frame_bytes, __be32 *source)
{
	__u8 copy;
	const __u8 *first = header_at(ctx, 0, sizeof(*first), &copy);

	switch (first ? *first >> 4 : 0) {
	case XC_IPV4_VERSION:
		return parse_ipv4(ctx, 0, frame_bytes, source);
	case XC_IPV6_VERSION:
		return XC_CLASS_IPV6;
	default:
		return XC_CLASS_OTHER;
	}
}

static __always_inline struct parsed_frame parse_frame(struct xdp_md *ctx, __u64 frame_bytes,
						       bool has_ethernet_header)
{
	struct parsed_frame parsed = {};

	parsed.class = has_ethernet_header ?
			       parse_ethernet(ctx, frame_bytes, &parsed.source) :
			       parse_without_link_header(ctx, frame_bytes, &parsed.source);
	return parsed;
}

#endif /* XDP_COUNT_PACKET_PARSING_H */
