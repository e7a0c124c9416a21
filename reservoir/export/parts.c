/* out[i] += sum over k of v[k] w[k][i]: `count` rows of n weights, `stride` numbers apart; four rows at a time. */
static inline void NAME_add(const REAL *w, int stride, const REAL *v, int count, int n, REAL *out)
{
    int k = 0;
    for (; k + 4 <= count; k += 4, w += 4 * stride) {
        const REAL a = v[k], b = v[k + 1], c = v[k + 2], d = v[k + 3];
        for (int i = 0; i < n; i++)
            out[i] += w[i] * a + w[stride + i] * b + w[2 * stride + i] * c + w[3 * stride + i] * d;
    }
    for (; k < count; k++, w += stride) {
        const REAL a = v[k];
        for (int i = 0; i < n; i++)
            out[i] += w[i] * a;
    }
}

/* out += W x for compressed sparse rows: unit i has counts[i] weights. */
static inline void NAME_add_sparse(
    const REAL *w, const INDEX *columns, const INDEX *counts, const REAL *x, int n, REAL *out)
{
    for (int i = 0; i < n; i++) {
        REAL sum = out[i];
        for (int k = counts[i]; k > 0; k--)
            sum += *w++ * x[*columns++];
        out[i] = sum;
    }
}

/* out += W x for cyclic diagonals: unit i reads unit (i + shifts[k]) mod n. */
static inline void NAME_add_diagonals(const REAL *w, const INDEX *shifts, int count, const REAL *x, int n, REAL *out)
{
    for (int k = 0; k < count; k++, w += n) {
        const int shift = shifts[k];
        for (int i = 0; i < n - shift; i++)
            out[i] += w[i] * x[i + shift];
        for (int i = n - shift; i < n; i++)
            out[i] += w[i] * x[i + shift - n];
    }
}

/* tanh(x) for |x| <= 40: -e / (e + 2) with the sign of x, where e = exp(t) - 1, t = -2 |x| = k ln 2 + r, |r| <= ln 2 / 2.
   Without a branch, so that compilers vectorize it. */
static inline REAL NAME_tanh(REAL x)
{
    const REAL t = -2.0 * fabs(x); /* double */
    const REAL t = -2.0 * fabsf(x); /* float */
    const int32_t k = (int32_t)(t * 1.4426950408889634 - 0.5);
    uint64_t bits; /* double */
    uint32_t bits; /* float */
    REAL p, e;
    const REAL r = (t - (REAL)k * 0.693147180369123816490) - (REAL)k * 0.000000000190821492927058770002;
    p = 2.092374152759361e-09; /* double */
    p = p * r + 2.5108993191182898e-08; /* double */
    p = p * r + 2.755724565266073e-07; /* double */
    p = p * r + 2.755724434440348e-06; /* double */
    p = p * r + 2.480158735600573e-05; /* double */
    p = p * r + 1.9841269885977918e-04; /* double */
    p = p * r + 1.3888888888870209e-03; /* double */
    p = p * r + 8.333333333321698e-03; /* double */
    p = p * r + 4.166666666666669e-02; /* double */
    p = p * r + 1.6666666666666677e-01; /* double */
    p = 1.990967466210576e-04; /* float */
    p = p * r + 1.3933316174214163e-03; /* float */
    p = p * r + 8.33328217821853e-03; /* float */
    p = p * r + 4.166648198389225e-02; /* float */
    p = p * r + 1.666666677229474e-01; /* float */
    p = r + r * r * (p * r + 0.5);
    bits = (uint64_t)(uint32_t)(k + 1023) << 52; /* double */
    bits = (uint32_t)(k + 127) << 23; /* float */
    memcpy(&e, &bits, sizeof e);
    e = e * p + (e - 1.0);
    return copysign(e / (e + 2.0), x); /* double */
    return copysignf(e / (e + 2.0), x); /* float */
}

/* v = f(v): f is 0 for the identity, 1 for tanh, 2 for the logistic sigmoid, 3 for the rectifier. */
static inline void NAME_activate(int f, REAL *v, int n)
{
    for (int i = 0; (f == 1 || f == 2) && i < n; i++)
        v[i] = v[i] > 40.0 ? 40.0 : v[i] < -40.0 ? -40.0 : v[i];
    if (f == 1)
        for (int i = 0; i < n; i++)
            v[i] = NAME_tanh(v[i]);
    if (f == 2)
        for (int i = 0; i < n; i++)
            v[i] = 0.5 + 0.5 * NAME_tanh(0.5 * v[i]);
    if (f == 3)
        for (int i = 0; i < n; i++)
            v[i] = v[i] < 0 ? 0 : v[i];
}

/* Layer normalization: out = (x - mean) / sqrt(variance + 1e-5) * gain + shift. */
static inline void NAME_normalize(const REAL *gain, const REAL *shift, const REAL *x, REAL *out, int n)
{
    REAL mean = 0, square = 0;
    for (int i = 0; i < n; i++)
        mean += x[i] / n;
    for (int i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean) / n;
    square = sqrt(square + 0.00001); /* double */
    square = sqrtf(square + 0.00001); /* float */
    for (int i = 0; i < n; i++)
        out[i] = (x[i] - mean) / square * gain[i] + shift[i];
}

/* h(t) = f(x(t) W + h(t-1) U + b) */
static inline void NAME_elman(
    const REAL *w, const REAL *u, const REAL *b, int f, const REAL *x, int count, REAL *h, REAL *work, int n)
{
    memcpy(work, b, n * sizeof *b);
    NAME_add(w, n, x, count, n, work);
    NAME_add(u, n, h, n, n, work);
    NAME_activate(f, work, n);
    memcpy(h, work, n * sizeof *h);
}

/* h(t) = f(x(t) W + u h(t-1) + b), u a number for each unit */
static inline void NAME_indrnn(
    const REAL *w, const REAL *u, const REAL *b, int f, const REAL *x, int count, REAL *h, REAL *work, int n)
{
    for (int i = 0; i < n; i++)
        work[i] = b[i] + u[i] * h[i];
    NAME_add(w, n, x, count, n, work);
    NAME_activate(f, work, n);
    memcpy(h, work, n * sizeof *h);
}

/* Gates i, f, o and candidate g, side by side: c(t) = f c(t-1) + i g, h(t) = o tanh(c(t)); p are the peepholes, or 0. */
static inline void NAME_lstm(
    const REAL *w, const REAL *u, const REAL *b, const REAL *p, const REAL *x, int count, REAL *h, REAL *c, REAL *work, int n)
{
    REAL *const i = work, *const f = work + n, *const o = work + 2 * n, *const g = work + 3 * n;
    memcpy(work, b, 4 * n * sizeof *b);
    NAME_add(w, 4 * n, x, count, 4 * n, work);
    NAME_add(u, 4 * n, h, n, 4 * n, work);
    for (int j = 0; p && j < n; j++) {
        i[j] += p[j] * c[j];
        f[j] += p[n + j] * c[j];
    }
    NAME_activate(2, i, 2 * n);
    NAME_activate(1, g, n);
    for (int j = 0; j < n; j++)
        c[j] = f[j] * c[j] + i[j] * g[j];
    for (int j = 0; p && j < n; j++)
        o[j] += p[2 * n + j] * c[j];
    NAME_activate(2, o, n);
    memcpy(h, c, n * sizeof *h);
    NAME_activate(1, h, n);
    for (int j = 0; j < n; j++)
        h[j] *= o[j];
}

/* Gates z, r and candidate g, side by side: h(t) = (1 - z) g + z h(t-1). r acts after the product with U where there is a
   second bias c, else before it. */
static inline void NAME_gru(
    const REAL *w, const REAL *u, const REAL *b, const REAL *c, const REAL *x, int count, REAL *h, REAL *work, int n)
{
    REAL *const z = work, *const r = work + n, *const g = work + 2 * n, *const product = work + 3 * n;
    memcpy(work, b, 3 * n * sizeof *b);
    NAME_add(w, 3 * n, x, count, 3 * n, work);
    NAME_add(u, 3 * n, h, n, 2 * n, work);
    NAME_activate(2, z, 2 * n);
    if (c) {
        memcpy(product, c, n * sizeof *c);
        NAME_add(u + 2 * n, 3 * n, h, n, n, product);
        for (int j = 0; j < n; j++)
            g[j] += r[j] * product[j];
    } else {
        for (int j = 0; j < n; j++)
            product[j] = r[j] * h[j];
        NAME_add(u + 2 * n, 3 * n, product, n, n, g);
    }
    NAME_activate(1, g, n);
    for (int j = 0; j < n; j++)
        h[j] = g[j] + z[j] * (h[j] - g[j]);
}

/* Gate f and candidate g, side by side, which reads f h(t-1): h(t) = (1 - f) h(t-1) + f g */
static inline void NAME_mgu(
    const REAL *w, const REAL *u, const REAL *b, const REAL *x, int count, REAL *h, REAL *work, int n)
{
    REAL *const f = work, *const g = work + n, *const kept = work + 2 * n;
    memcpy(work, b, 2 * n * sizeof *b);
    NAME_add(w, 2 * n, x, count, 2 * n, work);
    NAME_add(u, 2 * n, h, n, n, f);
    NAME_activate(2, f, n);
    for (int j = 0; j < n; j++)
        kept[j] = f[j] * h[j];
    NAME_add(u + n, 2 * n, kept, n, n, g);
    NAME_activate(1, g, n);
    for (int j = 0; j < n; j++)
        h[j] += f[j] * (g[j] - h[j]);
}

/* Modules, the fast ones first: module m has the units from starts[m] to starts[m + 1], reads those from starts[m] on, and
   runs when wait[m] is 0, then every periods[m] steps. Slower modules read no faster ones, so h is renewed in place. */
static inline void NAME_clockwork(
    const REAL *w, const REAL *u, const REAL *b, int f, const uint32_t *periods, const INDEX *starts, uint32_t *wait, int modules,
    const REAL *x, int count, REAL *h, REAL *work, int n)
{
    for (int m = 0; m < modules; m++) {
        const int start = starts[m], size = starts[m + 1] - start;
        if (wait[m] == 0) {
            memcpy(work, b + start, size * sizeof *b);
            if (count > 0)
                NAME_add(w + start, n, x, count, size, work);
            NAME_add(u, size, h + start, n - start, size, work);
            NAME_activate(f, work, size);
            memcpy(h + start, work, size * sizeof *h);
            wait[m] = periods[m];
        }
        wait[m]--;
        u += size * (n - start);
    }
}
