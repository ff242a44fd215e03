"""The report of a night: what each shop sold."""

import pandas


def report(sales: pandas.DataFrame) -> pandas.DataFrame:
    sales = sales.assign(total=sales["price"] * sales["pieces"])
    return sales.groupby("shop", as_index=False)["total"].sum().sort_values("total")
