// zig has the newest glibc's headers for every version of it. They declare cospi, rsqrt and others
// of C23, which NVIDIA's headers know to be missing before glibc 2.41 and define by themselves.
#include_next <bits/libc-header-start.h>
#undef __GLIBC_USE_IEC_60559_FUNCS_EXT_C23
#define __GLIBC_USE_IEC_60559_FUNCS_EXT_C23 0
