/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the class of a frame and, for IP, what it is counted under.
 */
#ifndef XDP_COUNT_PACKET_PARSING_H
#define XDP_COUNT_PACKET_PARSING_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ppp_defs.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "counted_address.h"

/* QinQ before IEEE 802.1ad; linux/if_ether.h names it ETH_P_QINQ1. */
#define XC_ETH_P_QINQ_OLD 0x9100
#define XC_IPV4_VERSION 4
#define XC_IPV6_VERSION 6
#define XC_IPV4_MAX_TOTAL_LENGTH 65535

/* Version 4 and a header length of 5 to 15: the first byte of every IPv4 header is one of these. */
#define XC_IPV4_FIRST_BYTE_MIN 0x45
#define XC_IPV4_FIRST_BYTE_MAX 0x4f

/* struct ethhdr is packed, so that its type would be read byte by byte. */
struct ethernet_header {
	__u8 addresses[2 * ETH_ALEN];
	__be16 eth_type;
};

struct vlan_tag {
	__be16 tci;
	__be16 encapsulated_eth_type;
};

/* RFC 2516, and the PPP protocol behind it (RFC 1661), which may be compressed but never is here. */
struct pppoe_session {
	__be16 version_type_code;
	__be16 session;
	__be16 length; /* of what is behind it: the protocol and the packet */
	__be16 protocol;
};

#define XC_PPPOE_SESSION_DATA 0x1100 /* version 1, type 1, code 0 */

/* The first option of a hop-by-hop header, where a jumbogram has its length (RFC 2675, 2). */
struct jumbo_header {
	__u8 next_header;
	__u8 header_length;
	__u8 option;
	__u8 option_length;
	__be32 payload_length;
};

#define XC_IPV6_MAX_PAYLOAD_LENGTH 65535
#define XC_IPV6_OPTION_JUMBO 0xc2

struct parsed_frame {
	__u32 class; /* enum xc_class */
	struct xc_key key; /* set for XC_CLASS_IPV4 and XC_CLASS_IPV6 */
};

/* In place of a class: a header is not in what may be read in place. */
#define NOT_IN_PLACE XC_CLASSES

/*
 * Sets "header" to "size" bytes at "offset" of the frame, and answers whether
 * they are there. Drivers that split headers from payload, and multi-buffer
 * frames with a short first buffer, leave a header outside of what may be read
 * in place: then it is copied to "copy". Where that is NULL, it is not there.
 */
static __always_inline bool header_at(struct xdp_md *ctx, __u32 offset, __u32 size, void *copy,
				      const void **header)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;

	if (data + offset + size <= data_end) {
		*header = data + offset;
		return true;
	}
	*header = copy;
	return copy && !bpf_xdp_load_bytes(ctx, offset, copy, size);
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
static __always_inline __u32 parse_ipv4(struct xdp_md *ctx, __u32 offset, __u64 frame_bytes,
					struct xc_key *key, bool in_place)
{
	struct iphdr copy;
	const struct iphdr *ip;
	__u8 first;
	__u32 header_bytes, total_length;

	if (!header_at(ctx, offset, sizeof(*ip), in_place ? NULL : &copy, (const void **)&ip))
		return in_place ? NOT_IN_PLACE : XC_CLASS_MALFORMED;
	first = *(const __u8 *)ip;
	if (first < XC_IPV4_FIRST_BYTE_MIN || first > XC_IPV4_FIRST_BYTE_MAX)
		return XC_CLASS_MALFORMED;
	header_bytes = (first & 0xf) * 4;
	total_length = bpf_ntohs(ip->tot_len);
	if (total_length > frame_bytes - offset)
		return XC_CLASS_MALFORMED;
	/* BIG TCP: a length that 16 bits cannot hold is written as 0. */
	if (total_length < header_bytes &&
	    (total_length != 0 || frame_bytes <= XC_IPV4_MAX_TOTAL_LENGTH))
		return XC_CLASS_MALFORMED;
	set_ipv4_key(key, ip);
	return XC_CLASS_IPV4;
}

/*
 * Whether a packet whose header says that it has no payload may be longer, as
 * ipv6_hop_jumbo() of net/ipv6/exthdrs.c asks: it has its length in an option
 * then, the first one in practice. Other options are not looked at.
 */
static __always_inline bool may_be_jumbogram(struct xdp_md *ctx, __u32 offset, __u64 packet_end)
{
	struct jumbo_header copy;
	const struct jumbo_header *jumbo;
	__u64 length;

	if (packet_end < offset + sizeof(*jumbo) ||
	    !header_at(ctx, offset, sizeof(*jumbo), &copy, (const void **)&jumbo))
		return false;
	if (jumbo->option != XC_IPV6_OPTION_JUMBO)
		return true;
	length = bpf_ntohl(jumbo->payload_length);
	return jumbo->option_length == sizeof(jumbo->payload_length) &&
	       length > XC_IPV6_MAX_PAYLOAD_LENGTH && length <= packet_end - offset;
}

/*
 * Refuses what ip6_rcv_core() of net/ipv6/ip6_input.c refuses for the structure
 * of the packet: its version, and its lengths. Not looked at are addresses that
 * must not be on the wire, options other than that of a jumbogram, and
 * extension headers.
 */
static __always_inline __u32 parse_ipv6(struct xdp_md *ctx, __u32 offset, __u64 frame_bytes,
					struct xc_key *key, bool in_place)
{
	struct ipv6_header copy;
	const struct ipv6_header *ip;
	__u32 payload = offset + sizeof(*ip);
	__u32 payload_length;

	if (!header_at(ctx, offset, sizeof(*ip), in_place ? NULL : &copy, (const void **)&ip))
		return in_place ? NOT_IN_PLACE : XC_CLASS_MALFORMED;
	if (*(const __u8 *)ip >> 4 != XC_IPV6_VERSION)
		return XC_CLASS_MALFORMED;
	payload_length = bpf_ntohs(ip->payload_length);
	if (payload + payload_length > frame_bytes)
		return XC_CLASS_MALFORMED;
	set_ipv6_key(key, ip);
	if (payload_length == 0 && ip->next_header == IPPROTO_HOPOPTS) {
		/* The options may be in another buffer than the header. */
		if (in_place)
			return NOT_IN_PLACE;
		if (!may_be_jumbogram(ctx, payload, frame_bytes))
			return XC_CLASS_MALFORMED;
	}
	return XC_CLASS_IPV6;
}

/*
 * A packet ends with its session at the latest. As pppoe_rcv() of
 * drivers/net/ppp/pppoe.c does, this refuses a session that is longer than its
 * frame, and takes what is behind a shorter one for padding.
 */
static __always_inline __u32 parse_pppoe(struct xdp_md *ctx, __u32 offset, __u64 frame_bytes,
					 struct xc_key *key, bool in_place)
{
	struct pppoe_session copy;
	const struct pppoe_session *session;
	__u64 length, session_end;

	if (!header_at(ctx, offset, sizeof(*session), in_place ? NULL : &copy,
		       (const void **)&session))
		return in_place ? NOT_IN_PLACE : XC_CLASS_OTHER;
	length = bpf_ntohs(session->length);
	if (session->version_type_code != bpf_htons(XC_PPPOE_SESSION_DATA) ||
	    length < sizeof(session->protocol))
		return XC_CLASS_OTHER;
	if (session->protocol != bpf_htons(PPP_IP) && session->protocol != bpf_htons(PPP_IPV6))
		return XC_CLASS_OTHER;

	session_end = offset + offsetof(struct pppoe_session, protocol) + length;
	if (session_end > frame_bytes)
		return XC_CLASS_MALFORMED;
	offset += sizeof(*session);
	return session->protocol == bpf_htons(PPP_IP) ?
		       parse_ipv4(ctx, offset, session_end, key, in_place) :
		       parse_ipv6(ctx, offset, session_end, key, in_place);
}

static __always_inline __u32 parse_ethernet(struct xdp_md *ctx, __u64 frame_bytes,
					    struct xc_key *key, bool in_place)
{
	struct ethernet_header eth_copy;
	const struct ethernet_header *eth;
	__u32 offset = sizeof(*eth);
	__be16 eth_type;

	if (!header_at(ctx, 0, sizeof(*eth), in_place ? NULL : &eth_copy, (const void **)&eth))
		return in_place ? NOT_IN_PLACE : XC_CLASS_OTHER;
	eth_type = eth->eth_type;
	/* The usual cases come first, with an offset that is a constant. */
	if (eth_type == bpf_htons(ETH_P_IP))
		return parse_ipv4(ctx, offset, frame_bytes, key, in_place);
	if (eth_type == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(ctx, offset, frame_bytes, key, in_place);

#pragma unroll /* so that "offset" is a constant in each step, and bounds checks are cheap */
	for (int i = 0; i < XC_MAX_VLAN_TAGS; i++) {
		struct vlan_tag tag_copy;
		const struct vlan_tag *tag;

		if (!is_vlan_tag(eth_type))
			break;
		if (!header_at(ctx, offset, sizeof(*tag), in_place ? NULL : &tag_copy,
			       (const void **)&tag))
			return in_place ? NOT_IN_PLACE : XC_CLASS_OTHER;
		eth_type = tag->encapsulated_eth_type;
		offset += sizeof(*tag);
	}

	switch (eth_type) {
	case bpf_htons(ETH_P_IP):
		return parse_ipv4(ctx, offset, frame_bytes, key, in_place);
	case bpf_htons(ETH_P_PPP_SES):
		return parse_pppoe(ctx, offset, frame_bytes, key, in_place);
	case bpf_htons(ETH_P_IPV6):
		return parse_ipv6(ctx, offset, frame_bytes, key, in_place);
	case bpf_htons(ETH_P_ARP):
		return XC_CLASS_ARP;
	default:
		return XC_CLASS_OTHER;
	}
}

/* On tun, WireGuard, ipip and the like a frame has no link-layer header: its first bits name it. */
static __always_inline __u32 parse_without_link_header(struct xdp_md *ctx, __u64 frame_bytes,
						       struct xc_key *key, bool in_place)
{
	__u8 copy;
	const __u8 *first;

	if (!header_at(ctx, 0, sizeof(*first), in_place ? NULL : &copy, (const void **)&first))
		return in_place ? NOT_IN_PLACE : XC_CLASS_OTHER;
	switch (*first >> 4) {
	case XC_IPV4_VERSION:
		return parse_ipv4(ctx, 0, frame_bytes, key, in_place);
	case XC_IPV6_VERSION:
		return parse_ipv6(ctx, 0, frame_bytes, key, in_place);
	default:
		return XC_CLASS_OTHER;
	}
}

static __always_inline __u32 parse_headers(struct xdp_md *ctx, __u64 frame_bytes,
					   bool has_ethernet_header, struct xc_key *key,
					   bool in_place)
{
	return has_ethernet_header ? parse_ethernet(ctx, frame_bytes, key, in_place) :
				     parse_without_link_header(ctx, frame_bytes, key, in_place);
}

/*
 * For frames with a header that is not in place, or with none. Not inlined,
 * since it is rare and would take registers from the usual path. Returns the
 * class.
 */
static __noinline __u32 parse_copies(struct xdp_md *ctx, __u64 frame_bytes,
				     bool has_ethernet_header, struct xc_key *key)
{
	*key = (struct xc_key){};
	return parse_headers(ctx, frame_bytes, has_ethernet_header, key, false);
}

static __always_inline struct parsed_frame parse_frame(struct xdp_md *ctx, __u64 frame_bytes,
						       bool has_ethernet_header)
{
	struct parsed_frame parsed;

	/* Only pairs have a peer, and nobody looks at that of others. */
	parsed.key.address = (struct xc_address){};
	parsed.class = parse_headers(ctx, frame_bytes, has_ethernet_header, &parsed.key, true);
	if (parsed.class == NOT_IN_PLACE) {
		struct xc_key key;

		parsed.class = parse_copies(ctx, frame_bytes, has_ethernet_header, &key);
		parsed.key.address = key.address;
		if (config.by == XC_BY_PAIR)
			parsed.key.peer = key.peer;
	}
	return parsed;
}

#endif /* XDP_COUNT_PACKET_PARSING_H */
