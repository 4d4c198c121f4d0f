/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the program reports as soon as it happens, where it was asked for before
 * load; otherwise the verifier removes this, and the maps are not made.
 */
#ifndef XDP_COUNT_EVENTS_H
#define XDP_COUNT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include <asm-generic/errno-base.h>
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "config.h"

/* The agent sets max_entries of both before load, and key_size where sources have no peer. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

/*
 * The sources that are not new: those that the agent
 * tracks, and those that were counted since it last looked. The program adds
 * sources, the agent removes those that it tracks no more. Preallocated (no
 * BPF_F_NO_PREALLOC), so that memory is fixed at start and no packet waits for
 * an allocation.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct xc_source));
	__uint(value_size, sizeof(__u8));
} known_sources SEC(".maps");

/*
 * Room for an event, or NULL where the ring is full, which is counted. The
 * kernel wakes the agent for an event that finds the ring empty, so a flood of
 * them does not wake it for each.
 */
static __always_inline void *reserve_event(struct xc_event_counts *counts, __u64 bytes)
{
	void *event = bpf_ringbuf_reserve(&events, bytes, 0);

	counts->produced++;
	if (!event)
		counts->lost++;
	return event;
}

/*
 * Takes a source that this CPU meets for the first time in a generation. If two
 * CPUs meet it at once, one of them adds it and reports it.
 */
static __always_inline void report_if_new(struct xc_event_counts *counts,
					  const struct xc_source *source)
{
	struct xc_event_counts *of_kind = &counts[XC_EVENT_NEW_SOURCE];
	struct xc_new_source *event;
	__u8 known = 1;
	int err;

	/* The usual case, for which no lock is taken. */
	if (bpf_map_lookup_elem(&known_sources, source))
		return;
	err = bpf_map_update_elem(&known_sources, source, &known, BPF_NOEXIST);
	if (err == -EEXIST)
		return;
	if (err) {
		/* It would be reported again and again. */
		of_kind->produced++;
		of_kind->lost++;
		return;
	}
	event = reserve_event(of_kind, config.by == XC_BY_PAIR ?
					       sizeof(*event) :
					       offsetof(struct xc_new_source, source.peer));
	if (!event)
		return;
	event->event.time = bpf_ktime_get_ns();
	event->event.kind = XC_EVENT_NEW_SOURCE;
	event->event.head_bytes = 0;
	event->source.address = source->address;
	event->source.family = source->family;
	if (config.by == XC_BY_PAIR)
		event->source.peer = source->peer;
	bpf_ringbuf_submit(event, 0);
}

/*
 * Each frame is chosen with the same probability, and which one is known to
 * nobody before: so traffic of any rhythm is sampled alike. One random number
 * serves a whole run of frames, since drawing it costs more than counting.
 */
static __always_inline bool choose_frame(struct xc_sampling *sampling)
{
	__u32 position = sampling->position;

	if (position == 0)
		sampling->drawn = (__u64)bpf_get_prandom_u32() * config.sample_every >> 32;
	sampling->position = position + 1 == config.sample_every ? 0 : position + 1;
	return position == sampling->drawn;
}

static __always_inline void sample_frame(struct xdp_md *ctx, struct xc_event_counts *counts,
					 __u64 bytes)
{
	__u64 head_bytes = bytes < XC_SAMPLE_BYTES ? bytes : XC_SAMPLE_BYTES;
	struct xc_sample *event = reserve_event(&counts[XC_EVENT_SAMPLE], sizeof(*event));
	__u64 last = head_bytes - 1;

	if (!event)
		return;
	event->event.time = bpf_ktime_get_ns();
	event->event.kind = XC_EVENT_SAMPLE;
	event->event.head_bytes = head_bytes;
	event->frame_bytes = bytes;
	/*
	 * This is always within the bounds, but the verifier has lost sight of them. Only
	 * kernels since 6.8 would understand "head_bytes != 0".
	 */
	barrier_var(last);
	if (last >= XC_SAMPLE_BYTES || bpf_xdp_load_bytes(ctx, 0, event->head, last + 1))
		event->event.head_bytes = 0;
	bpf_ringbuf_submit(event, 0);
}

#endif /* XDP_COUNT_EVENTS_H */
