/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How long a frame is over all its buffers. The helper that says so costs more
 * than all else that is done with a frame, so it is asked only where there are
 * several buffers, or where the kernel does not let the program see that.
 */
#ifndef XDP_COUNT_FRAME_LENGTH_H
#define XDP_COUNT_FRAME_LENGTH_H

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#ifdef XC_WITHOUT_KERNEL_BTF

static __always_inline bool has_one_buffer(struct xdp_md *ctx __attribute__((unused)))
{
	return false;
}

#else

/*
 * What is read of the kernel's own struct and enum, which libbpf finds by name
 * wherever they have it: the suffix behind three underscores is not of the name.
 */
struct xdp_buff___xc {
	__u32 flags;
} __attribute__((preserve_access_index));

enum xdp_buff_flags___xc {
	XDP_FLAGS_HAS_FRAGS___xc = 1,
};

/*
 * The kernel's struct xdp_buff behind the context. It costs nothing: the
 * verifier puts a move in place of the call. Since Linux 6.2; before, its
 * address is NULL.
 */
extern void *bpf_cast_to_kern_ctx(void *ctx) __weak __ksym;

static __always_inline bool has_one_buffer(struct xdp_md *ctx)
{
	struct xdp_buff___xc *frame;

	if (!bpf_cast_to_kern_ctx)
		return false;
	frame = bpf_cast_to_kern_ctx(ctx);
	return !(frame->flags &
		 bpf_core_enum_value(enum xdp_buff_flags___xc, XDP_FLAGS_HAS_FRAGS___xc));
}

#endif

static __always_inline __u64 frame_length(struct xdp_md *ctx)
{
	if (has_one_buffer(ctx))
		return ctx->data_end - ctx->data;
	return bpf_xdp_get_buff_len(ctx);
}

#endif /* XDP_COUNT_FRAME_LENGTH_H */
