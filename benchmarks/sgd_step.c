/* One SGD step of a 1-16-16-1 tanh MLP on 32 samples, mean squared error, fused by hand: the limit for programs.py.

   One function does forward, backward and the update, in memory that fits the first-level cache. Samples are the last
   axis, so that every inner loop runs over 32 neighbouring numbers: gcc -O3 -march=native -ffast-math makes each one
   vector instructions, and takes tanh from glibc's vector library. REAL is double or float. The parameters lie as
   PyTorch's: weights (n_out, n_in), then biases (n_out,), layer by layer. */

#include <tgmath.h> /* tanh is tanhf of floats */

#ifndef REAL
#define REAL double
#endif
enum { SAMPLES = 32, WIDTH = 16, PARAMETERS = 321 };

REAL step(REAL *restrict parameters, const REAL *restrict x, const REAL *restrict y, REAL rate) {
    REAL *w1 = parameters, *b1 = w1 + WIDTH;
    REAL *w2 = b1 + WIDTH, *b2 = w2 + WIDTH * WIDTH;
    REAL *w3 = b2 + WIDTH, *b3 = w3 + WIDTH;
    REAL h1[WIDTH][SAMPLES], h2[WIDTH][SAMPLES], d1[WIDTH][SAMPLES] = {0}, d2[WIDTH][SAMPLES], d3[SAMPLES];
    REAL gradient[PARAMETERS];
    REAL *dw1 = gradient, *db1 = dw1 + WIDTH;
    REAL *dw2 = db1 + WIDTH, *db2 = dw2 + WIDTH * WIDTH;
    REAL *dw3 = db2 + WIDTH, *db3 = dw3 + WIDTH;

    /* forward */
    for (int j = 0; j < WIDTH; j++)
        for (int s = 0; s < SAMPLES; s++) h1[j][s] = tanh(w1[j] * x[s] + b1[j]);
    for (int j = 0; j < WIDTH; j++) {
        REAL sum[SAMPLES];
        for (int s = 0; s < SAMPLES; s++) sum[s] = b2[j];
        for (int k = 0; k < WIDTH; k++)
            for (int s = 0; s < SAMPLES; s++) sum[s] += w2[j * WIDTH + k] * h1[k][s];
        for (int s = 0; s < SAMPLES; s++) h2[j][s] = tanh(sum[s]);
    }
    for (int s = 0; s < SAMPLES; s++) d3[s] = *b3 - y[s];
    for (int j = 0; j < WIDTH; j++)
        for (int s = 0; s < SAMPLES; s++) d3[s] += w3[j] * h2[j][s];
    REAL loss = 0;
    for (int s = 0; s < SAMPLES; s++) loss += d3[s] * d3[s];

    /* backward: d1, d2, d3 are the adjoints before the activations */
    *db3 = 0;
    for (int s = 0; s < SAMPLES; s++) *db3 += d3[s] *= (REAL)2 / SAMPLES;
    for (int j = 0; j < WIDTH; j++) {
        REAL dw = 0, db = 0;
        for (int s = 0; s < SAMPLES; s++) {
            dw += d3[s] * h2[j][s];
            db += d2[j][s] = w3[j] * d3[s] * (1 - h2[j][s] * h2[j][s]);
        }
        dw3[j] = dw, db2[j] = db;
        for (int k = 0; k < WIDTH; k++) {
            dw = 0;
            for (int s = 0; s < SAMPLES; s++) {
                dw += d2[j][s] * h1[k][s];
                d1[k][s] += w2[j * WIDTH + k] * d2[j][s];
            }
            dw2[j * WIDTH + k] = dw;
        }
    }
    for (int j = 0; j < WIDTH; j++) {
        REAL dw = 0, db = 0;
        for (int s = 0; s < SAMPLES; s++) {
            REAL d = d1[j][s] * (1 - h1[j][s] * h1[j][s]);
            dw += d * x[s], db += d;
        }
        dw1[j] = dw, db1[j] = db;
    }

    for (int i = 0; i < PARAMETERS; i++) parameters[i] -= rate * gradient[i];
    return loss / SAMPLES;
}
