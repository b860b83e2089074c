"""What stands in for cuBLAS, run thread by thread on the processor and held against numpy."""

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from builder.native import cuda
from builder.native.toolchain import zig, zig_environment
from builder.targets import host_target

SOURCE = """
#include "gemm.hpp"

using namespace solofile;

template <typename A, typename C> static void all_threads(const Product & product) {
    for (int index = 0; index < product.count; ++index) {
        for (int row = 0; row < product.m; row += TILE) {
            for (int column = 0; column < product.n; column += TILE) {
                multiply_tile<A, A, C>(product, row, column, index);
            }
        }
    }
}

extern "C" void multiply(const Product * product, bool is_half_in, bool is_half_out) {
    if (is_half_out) {
        all_threads<_Float16, _Float16>(*product);
    } else if (is_half_in) {
        all_threads<_Float16, float>(*product);
    } else {
        all_threads<float, float>(*product);
    }
}

extern "C" void solve(
    const float * a, int leading_a, float * b, int leading_b, int m, int n, float alpha) {
    for (int row = 0; row < m; ++row) {
        solve_row(a, leading_a, b, leading_b, n, alpha, row);
    }
}
"""
COUNT = 3


class Matrices(ctypes.Structure):
    """As in gemm.hpp."""

    _fields_ = (
        ("first", ctypes.c_void_p),
        ("array", ctypes.c_void_p),
        ("stride", ctypes.c_longlong),
        ("leading", ctypes.c_int),
        ("is_transposed", ctypes.c_bool),
    )


class Product(ctypes.Structure):
    """As in gemm.hpp."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("m", "n", "k", "count")),
        *((name, ctypes.c_float) for name in ("alpha", "beta")),
        *((name, Matrices) for name in ("a", "b", "c")),
    )


@pytest.fixture(scope="module")
def gemm(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The arithmetic as a library."""
    folder = tmp_path_factory.mktemp("gemm")
    source, library = folder / "gemm.cpp", folder / "gemm.so"
    source.write_text(SOURCE)
    compiler = [str(zig()), "c++", "-target", host_target().zig_triple, "-std=c++17", "-O1"]
    options = ["-shared", "-fPIC", f"-I{Path(cuda.__file__).parent}", "-o", str(library)]
    subprocess.run([*compiler, *options, str(source)], env=zig_environment(), check=True)
    return ctypes.CDLL(str(library))


def _in_columns(shape: tuple[int, int], dtype: str, value: float | None = None) -> NDArray[Any]:
    """Return matrices [COUNT, columns, rows + 3]: in columns, with room between these."""
    rows, columns = shape
    if value is not None:
        return np.full((COUNT, columns, rows + 3), value, dtype)
    random = np.random.default_rng(rows * 100 + columns)
    return random.uniform(-1, 1, (COUNT, columns, rows + 3)).astype(dtype)


def _plain(matrices: NDArray[Any], rows: int, *, is_transposed: bool = False) -> NDArray[Any]:
    """Return them as [COUNT, rows, columns] in float64."""
    stored = matrices[:, :, :rows].astype("float64")
    return stored if is_transposed else stored.transpose(0, 2, 1)


def _as_given(matrices: NDArray[Any], *, is_transposed: bool, is_listed: bool) -> Matrices:
    leading, stride = matrices.shape[2], matrices[0].size
    if not is_listed:
        return Matrices(matrices.ctypes.data, None, stride, leading, is_transposed)
    pointers = (ctypes.c_void_p * COUNT)(*(one.ctypes.data for one in matrices))
    # ctypes keeps what a field points to no longer than its maker does.
    _kept.append(pointers)
    return Matrices(None, ctypes.addressof(pointers), 0, leading, is_transposed)


_kept: list[Any] = []


@pytest.mark.parametrize("is_listed", [False, True])
@pytest.mark.parametrize(("is_a", "is_b"), [(True, False), (False, True), (False, False)])
@pytest.mark.parametrize(
    ("dtypes", "beta", "tolerance"),
    [
        (("float32", "float32"), 0.0, 1e-5),
        (("float32", "float32"), 1.0, 1e-5),
        (("float16", "float32"), 0.0, 1e-5),
        (("float16", "float16"), 0.0, 5e-3),
    ],
)
@pytest.mark.parametrize("size", [(13, 7, 33), (4, 8, 1), (1, 1, 64)])
def test_products(
    gemm: ctypes.CDLL,
    size: tuple[int, int, int],
    dtypes: tuple[str, str],
    beta: float,
    tolerance: float,
    is_a: bool,
    is_b: bool,
    is_listed: bool,
) -> None:
    """Either side may be transposed; edges hold; what lay in c counts where it was asked for."""
    m, n, k = size
    a = _in_columns((k, m) if is_a else (m, k), dtypes[0])
    b = _in_columns((n, k) if is_b else (k, n), dtypes[0])
    c = _in_columns((m, n), dtypes[1], None if beta else float("nan"))
    before = c.copy()
    given = [
        _as_given(matrices, is_transposed=is_transposed, is_listed=is_listed)
        for matrices, is_transposed in ((a, is_a), (b, is_b), (c, False))
    ]
    product = Product(m, n, k, COUNT, 0.5, beta, *given)
    is_half = [ctypes.c_bool(dtype == "float16") for dtype in dtypes]
    gemm.multiply(ctypes.byref(product), *is_half)
    left = _plain(a, k if is_a else m, is_transposed=is_a)
    right = _plain(b, n if is_b else k, is_transposed=is_b)
    wanted = 0.5 * left @ right + (beta * _plain(before, m) if beta else 0)
    np.testing.assert_allclose(_plain(c, m), wanted, atol=tolerance)
    np.testing.assert_array_equal(c[:, :, m:], before[:, :, m:])


def test_triangles(gemm: ctypes.CDLL) -> None:
    """The one system of equations that llama.cpp has solved: x * a = alpha * b."""
    m, n = 5, 9
    a, b = _in_columns((n, n), "float32")[0], _in_columns((m, n), "float32")[0]
    a[range(n), range(n)] += 3
    upper = np.triu(a[:, :n].T.astype("float64"))
    wanted = np.linalg.solve(upper.T, 2 * b[:, :m].astype("float64")).T
    data = [matrix.ctypes.data_as(ctypes.c_void_p) for matrix in (a, b)]
    gemm.solve(data[0], n + 3, data[1], m + 3, m, n, ctypes.c_float(2))
    np.testing.assert_allclose(b[:, :m].T, wanted, atol=1e-5)
