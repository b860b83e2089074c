// The arithmetic that stands in for cuBLAS, for one thread. Matrices are in columns, as there.
#pragma once

#ifdef __CUDACC__
#define SOLOFILE_DEVICE __device__ inline
#else
#define SOLOFILE_DEVICE inline
#endif

namespace solofile {

// What one thread computes: so many rows and columns of the product.
constexpr int TILE = 4;

// The matrices of a batch: one after another, or wherever an array says.
struct Matrices {
    const void * first;
    const void * const * array;
    long long stride;
    int leading;
    bool is_transposed;

    template <typename T> SOLOFILE_DEVICE const T * at(int index) const {
        return static_cast<const T *>(array ? array[index] : first) + (array ? 0 : index * stride);
    }

    SOLOFILE_DEVICE long long place(int row, int column) const {
        return is_transposed ? column + static_cast<long long>(row) * leading
                             : row + static_cast<long long>(column) * leading;
    }
};

struct Product {
    int m, n, k, count;
    float alpha, beta;
    Matrices a, b, c;
};

// Computes the tile at (row, column) of c = alpha * a * b + beta * c, adding up in float32.
template <typename A, typename B, typename C>
SOLOFILE_DEVICE void multiply_tile(const Product & product, int row, int column, int index) {
    const A * a = product.a.template at<A>(index);
    const B * b = product.b.template at<B>(index);
    C * c = const_cast<C *>(product.c.template at<C>(index));
    float sum[TILE][TILE] = {};
    for (int p = 0; p < product.k; ++p) {
        float left[TILE], right[TILE];
        for (int i = 0; i < TILE; ++i) {
            // What lies outside is computed from the edge and not stored.
            const int last_row = product.m - 1, last_column = product.n - 1;
            const int at_row = row + i < last_row ? row + i : last_row;
            const int at_column = column + i < last_column ? column + i : last_column;
            left[i] = static_cast<float>(a[product.a.place(at_row, p)]);
            right[i] = static_cast<float>(b[product.b.place(p, at_column)]);
        }
        for (int i = 0; i < TILE; ++i) {
            for (int j = 0; j < TILE; ++j) {
                sum[i][j] += left[i] * right[j];
            }
        }
    }
    for (int i = 0; i < TILE && row + i < product.m; ++i) {
        for (int j = 0; j < TILE && column + j < product.n; ++j) {
            C & to = c[product.c.place(row + i, column + j)];
            const float value = product.alpha * sum[i][j];
            // c may hold anything where beta is 0.
            to = static_cast<C>(product.beta == 0 ? value
                                                  : value + product.beta * static_cast<float>(to));
        }
    }
}

// Solves x * a = alpha * b for one row of x, which takes the place of b; a is an upper triangle.
SOLOFILE_DEVICE void solve_row(
    const float * a, int leading_a, float * b, int leading_b, int n, float alpha, int row) {
    for (int j = 0; j < n; ++j) {
        const float * column = a + static_cast<long long>(j) * leading_a;
        float left = alpha * b[row + static_cast<long long>(j) * leading_b];
        for (int p = 0; p < j; ++p) {
            left -= b[row + static_cast<long long>(p) * leading_b] * column[p];
        }
        b[row + static_cast<long long>(j) * leading_b] = left / column[j];
    }
}

}  // namespace solofile
