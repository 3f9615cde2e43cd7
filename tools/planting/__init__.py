"""Do the tests notice a fault?"""
