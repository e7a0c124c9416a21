/* $title

       NAME_state s;
       NAME_reset(&s);              before every sequence
       NAME_step(in, out, &s);      for every time step

   $flash_bytes bytes of constant tables, $ram_bytes bytes of state. Written by clockwork-reservoir $version; C99, also C++. */

#ifndef UPPER_HEADER
#define UPPER_HEADER

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if DBL_MANT_DIG != 53 /* double */
#error "double must have 64 bits here; export with --float" /* double */
#if FLT_MANT_DIG != 24 /* float */
#error "float must have 32 bits here" /* float */
#endif

#define UPPER_INPUTS $inputs
#define UPPER_OUTPUTS $outputs

/* What a sequence leaves behind, and scratch. */
typedef struct {
    $fields
} NAME_state;

$tables

$functions

/* Start a sequence. */
static inline void NAME_reset(NAME_state *s)
{
    memset(s, 0, sizeof *s);
    $starts /* starts */
}

/* One time step, from UPPER_INPUTS numbers to UPPER_OUTPUTS. Returns 0 when well;
   1 where an input is not finite: nothing has changed;
   2 where an output is beyond +-$limit: `out` is as it was, the sequence must be reset. */
static inline int NAME_step(const REAL *in, REAL *out, NAME_state *s)
{
    const REAL largest = $largest, limit = $limit;
    REAL y[$outputs];
    (void)in, (void)largest; /* alone */
    for (int i = 0; i < $inputs; i++) /* inputs */
        if (!(in[i] >= -largest && in[i] <= largest)) /* inputs */
            return 1; /* inputs */
    $lines
    for (int i = 0; i < $outputs; i++)
        if (!(y[i] >= -limit && y[i] <= limit))
            return 2;
    memcpy(out, y, sizeof y);
    memcpy(s->last_output, y, sizeof y); /* feedback */
    return 0;
}
 /* labels */
/* The place of the largest output, which names the label: /* labels */
   $labels */ /* labels */
static inline int NAME_label(const REAL *out) /* labels */
{ /* labels */
    int best = 0; /* labels */
    for (int i = 1; i < $outputs; i++) /* labels */
        if (out[i] > out[best]) /* labels */
            best = i; /* labels */
    return best; /* labels */
} /* labels */

#endif
